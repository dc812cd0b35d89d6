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
  /** Why what had been stored was thrown away when the store was opened; absent when it was not. */
  readonly thrownAway?: string
  /** Null when nothing was ever applied. */
  readApplied(): Promise<AppliedPoint | null>
  /** Every record, by key in code-unit order, as of the first step: later writes do not show. */
  readAll(): AsyncIterable<readonly [key: string, value: Uint8Array]>
  /**
   * What has changed since the state of this index, as it stands now, and perhaps more. Null when
   * that cannot be told, or when the state of this index was never settled: then only `readAll`
   * knows.
   */
  readSince(index: number): Promise<readonly StateWrite[] | null>
  /** Makes all that was written durable; changes up to this index need not be told any more. */
  settle(index: number): Promise<void>
  /** From now on only `readAll` knows what is in the store. */
  forgetChanges(): Promise<void>
  write(writes: readonly StateWrite[], applied: AppliedPoint): Promise<void>
  /** Throws away everything, so that it can be rebuilt from the log. */
  clear(): Promise<void>
  close(): Promise<void>
}
