/** What the comparison asks of a cluster: the same program measures both through it. */

/** One process of the cluster. */
export interface Member {
  readonly id: string
  readonly pid: number
  /** Its data directory. */
  readonly directory: string
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  start(): void
  /** Answers linearizable reads by itself. */
  ready(): Promise<void>
}

export interface System {
  readonly name: string
  readonly version: string
  readonly members: () => readonly Member[]
  leader(): Promise<Member>
  /**
   * Calls prepared before the clock starts: the n-th call commits one fresh command of about
   * `bytes` bytes and resolves when it is applied.
   */
  commands(count: number, lanes: number): readonly (readonly (() => Promise<unknown>)[])[]
  /** As `commands`, over one stream; null when the system has none. */
  streamed(
    count: number,
    inFlight: number,
  ): {
    readonly lanes: readonly (readonly (() => Promise<unknown>)[])[]
    end(): Promise<void>
  } | null
  /** One linearizable read of a small value. */
  read(): Promise<unknown>
  /**
   * Milliseconds from the sending of a write to its arrival at a watcher, one after the other. What
   * is written is one put there, and the last approval of a change here.
   */
  watched(count: number): Promise<readonly number[]>
  /** A write that retries within `deadlineMs` until a leader takes it. */
  writeThrough(deadlineMs: number): Promise<void>
  stop(): Promise<void>
}
