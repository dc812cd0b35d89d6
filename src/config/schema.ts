/**
 * Every configuration key, once: type, default, bounds, and the words that docs/configuration.md
 * prints. A key without a default must be given.
 */
import { logLevels } from './types.js'

export interface Setting {
  readonly type: 'string' | 'integer' | 'boolean' | 'addresses'
  readonly default?: string | number | boolean
  /** Left out, it takes the value of this key. */
  readonly defaultsTo?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly choices?: readonly string[]
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
    description: 'Which node of genesis this is.',
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
      'After the leader\u2019s process is seen to be gone (its port refuses), the election starts within this many ticks.',
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
    const schema = schemaOf(settingOf(key))
    if (second === undefined) {
      root.properties[first] = schema
      root.required.push(first)
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
  return {
    type: setting.type,
    ...(setting.type === 'string' ? { minLength: 1 } : {}),
    ...(setting.pattern === undefined ? {} : { pattern: setting.pattern }),
    ...(setting.choices === undefined ? {} : { enum: setting.choices }),
    ...(setting.minimum === undefined ? {} : { minimum: setting.minimum }),
    ...(setting.maximum === undefined ? {} : { maximum: setting.maximum }),
  }
}
