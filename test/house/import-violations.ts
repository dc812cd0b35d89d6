/**
 * For each import rule one file that breaks it. The file imports exactly what its rule forbids, so
 * a rule that was switched off by a slip in a regular expression shows as "not reported".
 */
export interface Violation {
  readonly rule: string
  readonly file: string
  readonly content: string
}

const value = (target: string) => `import * as it from '${target}'\nexport const used = it\n`
const type = (target: string) => `import type { T } from '${target}'\nexport type Used = T\n`

/** `import type` of a room that is named nowhere in the row. */
const roomRules: Readonly<Record<string, string>> = {
  raft: 'machine',
  approval: 'machine',
  audit: 'machine',
  risk: 'approval',
  response: 'risk',
  machine: 'raft',
  signing: 'wire',
  wire: 'storage',
  storage: 'node',
  transport: 'storage',
  api: 'storage',
  status: 'wire',
  client: 'node',
  config: 'node',
  node: 'client',
  cli: 'wire',
}

/** A value import of a room whose types are allowed. */
const typeRules: Readonly<Record<string, string>> = {
  wire: 'raft/index.js',
  storage: 'raft/index.js',
  transport: 'config/index.js',
  api: 'machine/index.js',
  status: 'machine/index.js',
  client: 'machine/index.js',
  node: 'storage/index.js',
}

const packageRules: Readonly<Record<string, string>> = {
  raft: 'pino',
  approval: 'yaml',
  audit: 'level',
  risk: 'yaml',
  response: 'ajv',
  machine: 'ajv',
  signing: 'level',
  wire: '@grpc/grpc-js',
  storage: 'protobufjs',
  transport: 'fastify',
  api: 'fastify',
  status: '@grpc/grpc-js',
  client: 'fastify',
  config: 'yaml',
  node: 'level',
  cli: 'level',
}

/** Rooms whose row names built-ins one by one, or none. */
const builtinRules: Readonly<Record<string, string>> = {
  raft: 'node:crypto',
  approval: 'node:fs',
  audit: 'node:path',
  risk: 'node:os',
  response: 'node:timers',
  machine: 'node:crypto',
  signing: 'node:net',
  wire: 'node:fs',
  storage: 'node:net',
}

const rulesForAll: readonly Violation[] = [
  { rule: 'front-door', file: 'src/node/side.ts', content: value('../raft/inner.js') },
  { rule: 'node-ports-only', file: 'src/api/door.ts', content: type('../node/index.js') },
  { rule: 'only-the-node-is-wired', file: 'src/node/other.ts', content: value('./compose.js') },
  { rule: 'compose-wires-no-cli', file: 'src/node/compose.ts', content: value('../cli/index.js') },
  { rule: 'front-door-is-thin', file: 'src/node/index.ts', content: value('../raft/index.js') },
  { rule: 'nobody-imports-cli', file: 'cluster/talks.ts', content: value('../src/cli/index.js') },
  { rule: 'cluster-rooms', file: 'cluster/deep.ts', content: value('../src/raft/index.js') },
  // The image is built without test/.
  { rule: 'cluster-rooms', file: 'cluster/tested.ts', content: value('../test/helper.js') },
  { rule: 'only-up-launches', file: 'src/node/tested.ts', content: value('../../test/helper.js') },
  { rule: 'only-up-launches', file: 'src/cli/down.ts', content: value('../../cluster/launch.js') },
  {
    rule: 'up-launches',
    file: 'src/cli/commands/up.ts',
    content: value('../../../cluster/other.js'),
  },
  {
    rule: 'generated-stays-inside',
    file: 'src/client/raw.ts',
    content: type('../wire/generated/code.js'),
  },
  { rule: 'one-user-of-ajv', file: 'src/approval/quick.ts', content: value('ajv') },
  // raft -> signing's side door -> fs: each step is one import, the reach is what counts.
  { rule: 'pure-stays-pure', file: 'src/raft/reach.ts', content: value('../signing/key-file.js') },
  {
    rule: 'apply-runs-no-model',
    file: 'src/machine/models.ts',
    content: value('../risk/through.js'),
  },
  { rule: 'leaf-files', file: 'src/errors.ts', content: value('./invariant.js') },
  { rule: 'dead-file', file: 'src/storage/forgotten.ts', content: 'export const used = 1\n' },
  { rule: 'no-cycles', file: 'src/wire/egg.ts', content: value('./hen.js') },
  { rule: 'no-unresolved', file: 'src/wire/lost.ts', content: value('./nowhere.js') },
]

export const violations: readonly Violation[] = [
  ...Object.entries(roomRules).map(([room, other]) => ({
    rule: `${room}-rooms`,
    file: `src/${room}/rooms.ts`,
    content: type(`../${other}/index.js`),
  })),
  ...Object.entries(typeRules).map(([room, target]) => ({
    rule: `${room}-types-only`,
    file: `src/${room}/types-only.ts`,
    content: value(`../${target}`),
  })),
  ...Object.entries(packageRules).map(([room, name]) => ({
    rule: `${room}-npm`,
    file: `src/${room}/npm.ts`,
    content: value(name),
  })),
  ...Object.entries(builtinRules).map(([room, name]) => ({
    rule: `${room}-node`,
    file: `src/${room}/builtin.ts`,
    content: value(name),
  })),
  ...rulesForAll,
]

const rooms = Object.keys(roomRules).filter((room) => room !== 'node')

/** What the violations import: innocent files, so that each import resolves. */
export const bystanders: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    rooms.map((room) => [`src/${room}/index.ts`, 'export type T = 1\nexport const t = 1\n']),
  ),
  'src/invariant.ts': 'export const invariant = 1\n',
  'src/cli/main.ts': 'export const used = 1\n',
  'src/raft/inner.ts': 'export const used = 1\n',
  'src/signing/key-file.ts': value('node:fs'),
  'src/risk/through.ts': value('./models/index.js'),
  'src/risk/models/index.ts': 'export const used = 1\n',
  'src/wire/generated/code.ts': 'export type T = 1\n',
  'src/wire/hen.ts': value('./egg.js'),
  'cluster/launch.ts': 'export const used = 1\n',
  'cluster/other.ts': 'export const used = 1\n',
  'test/helper.ts': 'export const used = 1\n',
}
