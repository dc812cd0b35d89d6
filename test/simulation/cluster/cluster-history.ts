/**
 * What clients were told of the paths, judged at once by the order of the log: a read has the place
 * of the write that it saw. What was finished before an operation began must have an earlier place
 * or the same. It is also recorded in the form that the linearizability checker takes.
 */
import type { Operation } from '../../../cluster/linearizability/index.js'
import { OracleViolation } from '../oracles.js'

/** Place and value of one activated write of a path. */
export interface Write {
  readonly path: string
  readonly value: number
  readonly index: number
}

export interface OpenWrite {
  readonly client: string
  readonly path: string
  readonly value: number
  readonly startMs: number
  /** Set when the client hears that its change is active. */
  endMs: number | null
}

export class ClusterHistory {
  /** Of each path: the furthest place that somebody was told of. */
  private readonly known = new Map<string, number>()
  private readonly reads: Operation[] = []
  private readonly writes: OpenWrite[] = []
  readsAnswered = 0
  writesAcknowledged = 0

  /** Taken when an operation begins; its place must not be before this. */
  begin(path: string): number {
    return this.known.get(path) ?? 0
  }

  beginWrite(write: Omit<OpenWrite, 'endMs'>): OpenWrite {
    const open = { ...write, endMs: null }
    this.writes.push(open)
    return open
  }

  activated(write: OpenWrite, index: number, nowMs: number): void {
    write.endMs = nowMs
    this.writesAcknowledged += 1
    this.learn(write.path, index)
  }

  answerRead(read: {
    readonly client: string
    readonly path: string
    readonly begunAt: number
    readonly index: number
    readonly value: number | null
    readonly startMs: number
    readonly endMs: number
  }): void {
    const { client, path, index, begunAt, value, startMs, endMs } = read
    if (index < begunAt) {
      throw new OracleViolation('a linearizable read sees what was known when it began', {
        client,
        path,
        index,
        begunAt,
      })
    }
    this.readsAnswered += 1
    this.learn(path, index)
    this.reads.push({
      client,
      start: startMs,
      end: endMs,
      op: 'get',
      key: path,
      result: value,
      status: 'ok',
    })
  }

  /** The history with every unknown resolved by what the log says was activated. */
  operations(activated: ReadonlySet<number>): readonly Operation[] {
    const puts = this.writes
      .filter(({ value }) => activated.has(value))
      .map(({ client, path, value, startMs, endMs }): Operation => {
        const put = {
          client: `${client} ${String(value)}`,
          start: startMs,
          op: 'put' as const,
          key: path,
          value,
        }
        return endMs === null ? { ...put, status: 'info' } : { ...put, end: endMs, status: 'ok' }
      })
    return [...this.reads, ...puts]
  }

  private learn(path: string, index: number): void {
    if (index > (this.known.get(path) ?? 0)) this.known.set(path, index)
  }
}
