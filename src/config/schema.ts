/**
 * Every configuration key, once: type, default, bounds, and the words that docs/configuration.md
 * prints. A key without a default must be given.
 */
import { logLevels } from './types.js'

export interface Setting {
  readonly type: 'string' | 'integer' | 'boolean' | 'addresses' | 'members'
  readonly default?: string | number | boolean
  /** Left out, it takes the value of this key. */
  readonly defaultsTo?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly choices?: readonly string[]
  /** May be left out; there is no default then. */
  readonly isOptional?: true
  /** A path; a relative one is relative to the configuration file. */
  readonly isPath?: true
  readonly description: string
}

const address = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$'
const mebibyte = 1024 * 1024

export const settings = {
  nodeId: {
    type: 'string',
    pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
    description:
      'Which node this is: one of genesis, or one that a change under `/sys/nodes/` adds.',
  },
  dataDirectory: {
    type: 'string',
    isPath: true,
    description:
      'Where the stores are. Made by `countersign init`, never by the node; never shared by two nodes.',
  },
  genesisFile: {
    type: 'string',
    isPath: true,
    description: 'The founding document of the cluster; the same bytes on every node.',
  },
  'tls.caFile': {
    type: 'string',
    isPath: true,
    description: 'PEM of the CA that signed the certificates of all nodes.',
  },
  'tls.certificateFile': {
    type: 'string',
    isPath: true,
    description:
      'PEM certificate of this node, with the name `<nodeId>.node` and the addresses that clients dial.',
  },
  'tls.keyFile': { type: 'string', isPath: true, description: 'PEM key of that certificate.' },
  nodeKeyFile: {
    type: 'string',
    isPath: true,
    description: 'Key that signs this node\u2019s stamps of log time (Ed25519, PKCS#8 PEM).',
  },
  'listen.peer': {
    type: 'string',
    pattern: address,
    default: '127.0.0.1:7100',
    description: 'Address for the other nodes (mutual TLS).',
  },
  'listen.client': {
    type: 'string',
    pattern: address,
    default: '127.0.0.1:7200',
    description: 'Address for clients (gRPC over TLS).',
  },
  'listen.status': {
    type: 'string',
    pattern: address,
    default: '127.0.0.1:7300',
    description:
      'Address of health, status, metrics and the page: plain HTTP without a login, so keep it on loopback or behind a proxy.',
  },
  'advertise.client': {
    type: 'string',
    pattern: address,
    defaultsTo: 'listen.client',
    description: 'Address that other nodes tell clients when this node leads.',
  },
  peers: {
    type: 'addresses',
    description:
      'Peer addresses that differ from genesis: node id to host:port. In the environment: `node-2=host:port,node-3=host:port`.',
  },
  join: {
    type: 'boolean',
    default: false,
    description:
      'This node is not in genesis: it waits until the cluster takes it in. Written by `countersign node add`; says nothing once the node is a member.',
  },
  incarnation: {
    type: 'string',
    pattern: '^[0-9a-f]{32}$',
    isOptional: true,
    description:
      'Which life of this node id its data directory belongs to, as the cluster knows it: 16 bytes in hex. Only with `join`; a node of genesis has it there.',
  },
  members: {
    type: 'members',
    description:
      'Nodes known beside genesis, so that a joining node can dial and be dialled: a list of `{id, address, incarnation, nodeKey}`. In the environment: the same as JSON.',
  },
  'raft.tickMs': {
    type: 'integer',
    default: 10,
    minimum: 1,
    maximum: 1000,
    description: 'Length of a tick in milliseconds; all other times of Raft count ticks.',
  },
  'raft.heartbeatTicks': {
    type: 'integer',
    default: 10,
    minimum: 1,
    maximum: 1000,
    description: 'A leader is heard at least this often.',
  },
  'raft.electionTicksMin': {
    type: 'integer',
    default: 100,
    minimum: 2,
    maximum: 100_000,
    description:
      'Least silence after which a follower asks for an election. Above `raft.heartbeatTicks`; with less than ten heartbeats a busy machine elects without need.',
  },
  'raft.electionTicksMax': {
    type: 'integer',
    default: 200,
    minimum: 3,
    maximum: 100_000,
    description: 'Greatest such silence; it is drawn anew between the two each time.',
  },
  'raft.refusalTicksMax': {
    type: 'integer',
    default: 4,
    minimum: 0,
    maximum: 1000,
    description:
      'After the leader\u2019s process is seen to be gone (its port refuses), the others campaign in turn, in the order of their ids, and none later than after this many ticks.',
  },
  'raft.appendBytesMax': {
    type: 'integer',
    default: mebibyte,
    minimum: 1024,
    maximum: 3 * mebibyte,
    description: 'Payload of one append message in bytes; gRPC\u2019s own limit is 4 MiB.',
  },
  'raft.inflightMessagesMax': {
    type: 'integer',
    default: 256,
    minimum: 1,
    maximum: 65_536,
    description: 'Append messages on their way to one peer.',
  },
  'raft.inflightBytesMax': {
    type: 'integer',
    default: 8 * mebibyte,
    minimum: 1024,
    maximum: 1024 * mebibyte,
    description: 'Bytes on their way to one peer.',
  },
  'raft.uncommittedBytesMax': {
    type: 'integer',
    default: 64 * mebibyte,
    minimum: 1024,
    maximum: 1024 * mebibyte,
    description: 'Bytes not yet committed; above it commands are refused with `BUSY`.',
  },
  'raft.applyingBytesMax': {
    type: 'integer',
    default: 16 * mebibyte,
    minimum: 1024,
    maximum: 1024 * mebibyte,
    description: 'Bytes that are committed and wait to be applied.',
  },
  'raft.snapshotEntries': {
    type: 'integer',
    default: 10_000,
    minimum: 1,
    maximum: 100_000_000,
    description:
      'A snapshot of the state is saved after so many applied entries; then the log behind it is cut.',
  },
  'raft.snapshotBytes': {
    type: 'integer',
    default: 64 * mebibyte,
    minimum: 1024,
    maximum: 16_384 * mebibyte,
    description: 'The same, counted in bytes of applied commands: whichever comes first.',
  },
  'raft.keptEntries': {
    type: 'integer',
    default: 5000,
    minimum: 0,
    maximum: 100_000_000,
    description:
      'Entries kept behind a snapshot, so that a node that was away for a while needs no snapshot.',
  },
  'raft.pinTicksMax': {
    type: 'integer',
    default: 6000,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'A node that fetches a snapshot keeps the log behind it from being cut, for so many ticks without progress.',
  },
  'raft.pinnedBytesMax': {
    type: 'integer',
    default: 256 * mebibyte,
    minimum: 1024,
    maximum: 16_384 * mebibyte,
    description: 'Most bytes of log that are kept for such a node.',
  },
  'scrub.everyHours': {
    type: 'integer',
    default: 24,
    minimum: 0,
    maximum: 8760,
    description:
      'How often the newest snapshot and the log are read from the disk and verified while the node runs, in hours; 0: never. Both are verified at each start.',
  },
  'limits.commandsInFlightMax': {
    type: 'integer',
    default: 4096,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Commands that wait for their result on this node; above it `BUSY`.',
  },
  'limits.watchersMax': {
    type: 'integer',
    default: 1000,
    minimum: 0,
    maximum: 1_000_000,
    description: 'Watches served at one time; above it `BUSY`.',
  },
  'log.level': {
    type: 'string',
    choices: logLevels,
    default: 'info',
    description:
      '`fatal`: the node ends. `error`: something is lost or wrong. `warn`: look at it some day. `info`: a life of the node in a page. `debug`: each connection and election. `trace`: each transition of Raft.',
  },
  'log.pretty': {
    type: 'boolean',
    default: false,
    description: 'One readable line an event instead of one JSON object.',
  },
  'test.admitForged': {
    type: 'boolean',
    default: false,
    description:
      'This node, when it leads, puts commands into the log without looking at them: a cheating leader, for demonstrations. Refused unless COUNTERSIGN_TEST_OPTIONS=1 is set.',
  },
  'test.powerCut': {
    type: 'boolean',
    default: false,
    description:
      'What this node writes and does not sync is kept in memory only, so that ending the process with SIGKILL is a power cut. Refused unless COUNTERSIGN_TEST_OPTIONS=1 is set.',
  },
} as const satisfies Record<string, Setting>

export type SettingKey = keyof typeof settings

export const settingKeys = Object.keys(settings) as readonly SettingKey[]

export function settingOf(key: SettingKey): Setting {
  return settings[key]
}

/** `raft.tickMs` is COUNTERSIGN_RAFT_TICK_MS. */
export function environmentName(key: SettingKey): string {
  return `COUNTERSIGN_${key.replace(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase()}`
}

/** JSON Schema of a whole effective configuration: what ajv checks. */
export function configurationSchema(): Record<string, unknown> {
  const root = objectSchema()
  for (const key of settingKeys) {
    const [first = '', second] = key.split('.')
    const setting = settingOf(key)
    const schema = schemaOf(setting)
    if (second === undefined) {
      root.properties[first] = schema
      if (setting.isOptional !== true) root.required.push(first)
      continue
    }
    const section = (root.properties[first] ??= objectSchema()) as ObjectSchema
    section.properties[second] = schema
    section.required.push(second)
    if (!root.required.includes(first)) root.required.push(first)
  }
  return { ...root }
}

interface ObjectSchema {
  readonly type: 'object'
  readonly additionalProperties: false
  readonly properties: Record<string, unknown>
  readonly required: string[]
}

function objectSchema(): ObjectSchema {
  return { type: 'object', additionalProperties: false, properties: {}, required: [] }
}

function schemaOf(setting: Setting): Record<string, unknown> {
  if (setting.type === 'addresses') {
    return { type: 'object', additionalProperties: { type: 'string', pattern: address } }
  }
  if (setting.type === 'members') return { type: 'array', items: memberSchema }
  return {
    type: setting.type,
    ...(setting.type === 'string' ? { minLength: 1 } : {}),
    ...(setting.pattern === undefined ? {} : { pattern: setting.pattern }),
    ...(setting.choices === undefined ? {} : { enum: setting.choices }),
    ...(setting.minimum === undefined ? {} : { minimum: setting.minimum }),
    ...(setting.maximum === undefined ? {} : { maximum: setting.maximum }),
  }
}

const memberSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'address', 'incarnation', 'nodeKey'],
  properties: {
    id: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
    address: { type: 'string', pattern: address },
    incarnation: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    nodeKey: { type: 'string', minLength: 1 },
  },
}
