/**
 * Port: the replicated state as it was applied, one record a key. Written with its applied index
 * in one batch, not synced; a hole after a power cut is found by the digest and healed by replay.
 */
export interface StateWrite {
  readonly key: string
  /** Null deletes. */
  readonly value: Uint8Array | null
}

export interface AppliedPoint {
  readonly index: number
  readonly term: number
  /** State digest after this index, hex. */
  readonly digest: string
}

export interface StateStore {
  /** Null when nothing was ever applied. */
  readApplied(): Promise<AppliedPoint | null>
  /** Every record, by key in code-unit order, as of the first step: later writes do not show. */
  readAll(): AsyncIterable<readonly [key: string, value: Uint8Array]>
  write(writes: readonly StateWrite[], applied: AppliedPoint): Promise<void>
  /** Throws away everything, so that it can be rebuilt from the log. */
  clear(): Promise<void>
  close(): Promise<void>
}
