/** Names of what is measured, with what the issue asks of it. */

/** Larger is better for a rate, smaller for everything else. */
export type Sense = 'rate' | 'cost'

export interface FigureKind {
  readonly name: string
  readonly unit: '/s' | 'ms' | 'MiB'
  readonly sense: Sense
  /** How many times better than etcd it shall be; null: reported only. */
  readonly aim: number | null
}

export const clientCounts = [1, 16, 64, 256] as const
export const losses = ['killed', 'frozen'] as const

export const figureKinds = {
  writes: (clients: number) => kind(`writes/s, ${String(clients)} client(s)`, '/s', 'rate', 1),
  writeLatency: (clients: number) =>
    kind(`write p50, ${String(clients)} client(s)`, 'ms', 'cost', null),
  // Its aim is the lower one of two, see aims.ts.
  stream: kind('writes/s, one stream (etcd: its best put rate)', '/s', 'rate', null),
  reads: (clients: number) =>
    kind(`linearizable reads/s, ${String(clients)} client(s)`, '/s', 'rate', 1),
  watch: kind('write to watcher, p50', 'ms', 'cost', 1),
  memory: kind('memory of a member', 'MiB', 'cost', 1),
  disk: kind('disk of a member', 'MiB', 'cost', null),
  failover: (loss: (typeof losses)[number]) =>
    kind(`leader ${loss} to next write, median`, 'ms', 'cost', 10),
  restartFollower: kind('restart of a follower until it is current', 'ms', 'cost', 2),
  restartAll: kind('restart of all until a write', 'ms', 'cost', 2),
}

export interface Figure extends FigureKind {
  readonly etcd: readonly number[]
  readonly countersign: readonly number[]
  /** How many times better this build is, by round; below 1 it is worse. */
  readonly ratios: readonly number[]
}

function kind(
  name: string,
  unit: FigureKind['unit'],
  sense: Sense,
  aim: number | null,
): FigureKind {
  return { name, unit, sense, aim }
}

/** A round in which one of the two failed gives no ratio. */
export function ratiosOf(
  sense: Sense,
  etcd: readonly number[],
  countersign: readonly number[],
): readonly number[] {
  return etcd
    .map((theirs, at) => {
      const ours = countersign[at] ?? Number.NaN
      return sense === 'rate' ? ours / theirs : theirs / ours
    })
    .filter((ratio) => Number.isFinite(ratio))
}
