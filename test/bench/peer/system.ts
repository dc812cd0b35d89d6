/** What the comparison asks of a cluster: the same program measures both through it. */

/** Resolves when the cluster has answered. */
export type Call = () => Promise<unknown>
/** Calls that follow each other and belong together: the clock does not stop between them. */
export type Work = readonly Call[]
/** One client's work, one after the other. */
export type Lane = readonly Work[]

/** One attempt at this member and no other; rejects when it does not do it. */
export type Attempt = (memberId: string) => Promise<unknown>

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
  /** It takes part again. Each system is asked in its own way: what is timed does not wait for it. */
  ready(): Promise<void>
}

export interface System {
  readonly name: string
  readonly version: string
  readonly members: () => readonly Member[]
  leader(): Promise<Member>
  /**
   * About `count` calls, prepared before the clock starts: each commits one fresh command and
   * resolves when it is applied. Commands are as long in both systems, see payload.ts.
   */
  commands(count: number, lanes: number): readonly Lane[]
  /** As `commands`, over one stream; null when the system has none. */
  streamed(
    count: number,
    inFlight: number,
  ): { readonly lanes: readonly Lane[]; end(): Promise<void> } | null
  /** Writes what `read` reads: one value as long as a command. */
  prepareRead(): Promise<void>
  /** One linearizable read of that value, answered by the leader. */
  read(): Promise<unknown>
  /**
   * Milliseconds from the sending of a write to its arrival at a watcher, one after the other. What
   * is written is one put there, and the last approval of a change here.
   */
  watched(count: number): Promise<readonly number[]>
  /** One fresh command; every attempt sends the same bytes and resolves when it is committed. */
  write(): Attempt
  /**
   * Commits one more command; an attempt then asks a member by itself, without the leader, and
   * rejects until that member shows the command.
   */
  mark(): Promise<Attempt>
  stop(): Promise<void>
}
