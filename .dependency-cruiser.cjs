/**
 * Who may import whom (docs/architecture.md). One row a room; the rules are made from the rows.
 *
 * `values` are rooms whose code may be used, `types` rooms of which only `import type` is allowed,
 * `npm` packages, `node` built-ins (`'any'`: all). What is not in the row is forbidden. Every room
 * may import src/invariant.ts. A new package is one edit here; in a pure room it also needs a
 * record in docs/decisions/.
 */
const rooms = {
  raft: {},
  approval: { values: ['signing', 'errors'], npm: ['ajv'] },
  audit: { values: ['signing', 'errors'] },
  risk: { values: ['signing', 'errors'] },
  response: { values: ['signing', 'errors'] },
  machine: { values: ['approval', 'audit', 'risk', 'response', 'signing', 'errors'] },
  signing: {
    values: ['errors'],
    npm: ['sodium-native'],
    node: ['crypto', 'fs', 'path', 'worker_threads'],
  },
  wire: {
    values: ['signing', 'errors'],
    types: ['raft', 'machine', 'approval', 'audit'],
    npm: ['protobufjs'],
  },
  storage: {
    values: ['wire', 'signing', 'audit', 'errors'],
    types: ['raft', 'machine'],
    npm: ['level'],
    node: ['fs', 'path'],
  },
  transport: {
    values: ['wire', 'errors'],
    types: ['raft', 'node', 'config'],
    npm: ['@grpc/grpc-js'],
    node: 'any',
  },
  api: {
    values: ['wire', 'signing', 'errors'],
    types: ['machine', 'approval', 'audit', 'node', 'config'],
    npm: ['@grpc/grpc-js', 'grpc-health-check', '@grpc/reflection', '@grpc/proto-loader'],
    node: 'any',
  },
  status: {
    values: ['signing', 'audit', 'errors'],
    types: ['machine', 'approval', 'node', 'config'],
    npm: ['fastify', 'prom-client'],
    node: 'any',
  },
  client: {
    values: ['wire', 'signing', 'approval', 'audit', 'errors'],
    types: ['machine'],
    npm: ['@grpc/grpc-js'],
    node: 'any',
  },
  config: { values: ['errors'], npm: ['ajv'], node: 'any' },
  node: {
    values: [
      'raft',
      'machine',
      'approval',
      'audit',
      'risk',
      'response',
      'signing',
      'wire',
      'errors',
    ],
    types: ['storage', 'config'],
    npm: ['pino', 'secretlint'],
    node: 'any',
  },
  cli: {
    values: [
      ...['client', 'config', 'node', 'storage', 'machine', 'approval', 'audit', 'risk'],
      ...['signing', 'errors'],
    ],
    npm: ['commander', 'yaml', 'secretlint', 'fastify', '@peculiar/x509', 'reflect-metadata'],
    node: 'any',
  },
}

/** Two files of node/ have rows of their own: one wires everything, one is the thin front door. */
const nodeExceptions = '^src/node/(compose|index)\\.ts$'

/** Written by pbjs as `import Long = require("long")`, and never loaded (docs/decisions/002). */
const generatedLong = '^src/wire/generated/'

const doors = [
  '^src/[^/]+/index\\.ts$',
  '^src/node/ports\\.ts$',
  '^src/signing/key-file\\.ts$',
  '^src/(risk|response)/models/index\\.ts$',
]

/** A room is a folder of src/, but for the table of errors. */
const placeOf = (room) => (room === 'errors' ? '^src/errors\\.ts$' : `^src/${room}/`)
const packagesOf = (names) => names.map((name) => `node_modules/(@types/)?${name}(/|$)`)
const builtinsOf = (names) => names.map((name) => `^(node:)?${name}(/|$)`)

function rulesOf(room, { values = [], types = [], npm = [], node = [] }) {
  const from =
    room === 'node'
      ? { path: '^src/node/', pathNot: nodeExceptions }
      : { path: placeOf(room), pathNot: generatedLong }
  const known = [room, ...values, ...types].map(placeOf)
  const rules = [
    {
      name: `${room}-rooms`,
      comment: `The row of ${room}/ does not name this room. Hand the thing in from the room that composes both, or ask whether it lives in the right room.`,
      from,
      to: { path: '^(src|cluster|test)/', pathNot: [...known, '^src/invariant\\.ts$'] },
    },
    {
      name: `${room}-npm`,
      comment: `The row of ${room}/ does not name this package. Use it in the room whose business it is.`,
      from,
      to: { path: 'node_modules/', pathNot: packagesOf(npm) },
    },
  ]
  if (types.length > 0) {
    rules.push({
      name: `${room}-types-only`,
      comment: `${room}/ may only \`import type\` from this room: its code is handed in by src/node/compose.ts.`,
      from,
      to: { path: types.map(placeOf), dependencyTypesNot: ['type-only'] },
    })
  }
  if (node !== 'any') {
    rules.push({
      name: `${room}-node`,
      comment: `The row of ${room}/ does not name this built-in. Hand in what it gives, as data or as a port.`,
      from,
      to: { dependencyTypes: ['core'], pathNot: builtinsOf(node) },
    })
  }
  return rules
}

const rulesForAll = [
  {
    name: 'front-door',
    comment: 'A room is entered by its index.ts (or one of its named side doors). Export it there.',
    from: { path: '^src/([^/]+)/' },
    to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', ...doors] },
  },
  {
    name: 'node-ports-only',
    comment: 'transport/, api/ and status/ see the node through the types of src/node/ports.ts.',
    from: { path: '^src/(transport|api|status)/' },
    to: { path: '^src/node/', pathNot: '^src/node/ports\\.ts$' },
  },
  {
    name: 'only-the-node-is-wired',
    comment: 'compose.ts is called by src/node/index.ts. Call runNode() instead.',
    from: { pathNot: ['^src/node/index\\.ts$', '^test/'] },
    to: { path: '^src/node/compose\\.ts$' },
  },
  {
    name: 'compose-wires-no-cli',
    comment: 'A node knows neither the command line nor other nodes’ processes nor tests.',
    from: { path: nodeExceptions },
    to: { path: '^(src/cli|cluster|test)/' },
  },
  {
    name: 'front-door-is-thin',
    comment: 'src/node/index.ts reads the configuration and calls compose.ts; nothing else.',
    from: { path: '^src/node/index\\.ts$' },
    to: {
      path: '^src/',
      pathNot: ['^src/(config|node)/', '^src/(errors|invariant)\\.ts$'],
    },
  },
  {
    name: 'nobody-imports-cli',
    comment: 'The command line uses the rooms, never the reverse.',
    from: { pathNot: ['^src/cli/', '^test/'] },
    to: { path: '^src/cli/' },
  },
  {
    name: 'cluster-rooms',
    comment: 'cluster/ drives real nodes as an operator does: by client/, config/ and processes.',
    from: { path: '^cluster/' },
    to: {
      path: '^(src|test)/',
      // signing: the demo forges an approval (docs/decisions/009-cluster-may-sign.md).
      pathNot: [
        '^src/(client|config|signing)/index\\.ts$',
        '^src/signing/key-file\\.ts$',
        '^src/errors\\.ts$',
      ],
    },
  },
  {
    name: 'only-up-launches',
    comment:
      'Only `countersign up` starts several nodes; src/ knows nothing of cluster/ and test/.',
    from: { path: '^src/', pathNot: '^src/cli/commands/up\\.ts$' },
    to: { path: '^(cluster|test)/' },
  },
  {
    name: 'up-launches',
    comment: 'src/cli/commands/up.ts may import cluster/launch.ts and nothing else outside src/.',
    from: { path: '^src/cli/commands/up\\.ts$' },
    to: { path: '^(cluster|test)/', pathNot: '^cluster/launch\\.ts$' },
  },
  {
    name: 'generated-stays-inside',
    comment: 'Generated classes stay in wire/. Use the domain types; the codec of wire/ maps them.',
    from: { path: '^(src|cluster)/', pathNot: '^src/wire/' },
    to: { path: '^src/wire/generated/' },
  },
  {
    name: 'one-user-of-ajv',
    comment:
      'In approval/ only documents/schema.ts knows the validator: apply must not depend on its defaults.',
    from: { path: '^src/approval/', pathNot: '^src/approval/documents/schema\\.ts$' },
    to: { path: 'node_modules/ajv(/|$)' },
  },
  {
    name: 'pure-stays-pure',
    comment: 'A pure room reaches the world through this. Hand the thing in as data or as a port.',
    from: { path: '^src/(raft|machine|approval|audit|risk|response)/' },
    to: { path: '^(node:)?[a-z0-9_/]+$', pathNot: '^(node:)?crypto$', reachable: true },
  },
  {
    name: 'apply-runs-no-model',
    comment: 'Floating point differs between builds: results of models are replicated as data.',
    from: { path: '^src/machine/' },
    to: { path: '^src/(risk|response)/models/', reachable: true },
  },
  {
    name: 'leaf-files',
    comment: 'Everything may import these two files, so they import nothing.',
    from: { path: '^src/(errors|invariant)\\.ts$' },
    to: { pathNot: '^$' },
  },
  {
    name: 'dead-file',
    comment: 'No entry reaches this file. Use it or delete it.',
    from: { path: '^(src/cli/main|cluster/[^/]+)\\.ts$' },
    to: { path: '^src/.*\\.ts$', pathNot: '\\.d\\.ts$|^src/cli/main\\.ts$', reachable: false },
  },
  {
    name: 'no-cycles',
    comment: 'Two files that need each other are one thing, or a third is missing.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-unresolved',
    comment: 'The import cannot be resolved.',
    from: { pathNot: generatedLong },
    to: { couldNotResolve: true },
  },
]

/** `src/cli/commands/up.ts` is the one named exception to the row of cli/ (`up-launches`). */
const ofCli = (rule) =>
  rule.name === 'cli-rooms' ? { ...rule, to: { ...rule.to, path: '^src/' } } : rule

module.exports = {
  forbidden: [
    ...Object.entries(rooms).flatMap(([room, row]) => rulesOf(room, row).map(ofCli)),
    ...rulesForAll,
  ].map((rule) => ({ severity: 'error', ...rule })),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^test/fixtures/', '^dist'] },
    enhancedResolveOptions: { conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
}
