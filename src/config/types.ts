/** The effective configuration of one node: every key filled in, paths absolute, deep-frozen. */
export interface NodeConfig {
  readonly nodeId: string
  readonly dataDirectory: string
  readonly genesisFile: string
  readonly tls: {
    readonly caFile: string
    readonly certificateFile: string
    readonly keyFile: string
  }
  readonly nodeKeyFile: string
  /** host:port each. */
  readonly listen: { readonly peer: string; readonly client: string; readonly status: string }
  /** host:port where clients reach this node. */
  readonly advertise: { readonly client: string }
  /** Node id to host:port, where it differs from genesis. */
  readonly peers: Readonly<Record<string, string>>
  /** Not in genesis: waits until the cluster takes it in. */
  readonly join: boolean
  /** 16 bytes hex; there exactly when `join` is true. */
  readonly incarnation?: string
  /** Nodes known beside genesis. */
  readonly members: readonly KnownMember[]
  readonly raft: {
    readonly tickMs: number
    readonly heartbeatTicks: number
    readonly electionTicksMin: number
    readonly electionTicksMax: number
    readonly refusalTicksMax: number
    readonly appendBytesMax: number
    readonly inflightMessagesMax: number
    readonly inflightBytesMax: number
    readonly uncommittedBytesMax: number
    readonly applyingBytesMax: number
    readonly snapshotEntries: number
    readonly snapshotBytes: number
    readonly keptEntries: number
    readonly pinTicksMax: number
    readonly pinnedBytesMax: number
  }
  readonly scrub: { readonly everyHours: number }
  readonly limits: {
    readonly commandsInFlightMax: number
    readonly watchersMax: number
  }
  readonly log: { readonly level: LogLevel; readonly pretty: boolean }
  readonly test: { readonly admitForged: boolean; readonly powerCut: boolean }
}

/** A node as a joining one was told of it when its material was made. */
export interface KnownMember {
  readonly id: string
  /** host:port of the peer protocol. */
  readonly address: string
  /** 16 bytes hex. */
  readonly incarnation: string
  /** SPKI DER in base64. */
  readonly nodeKey: string
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
