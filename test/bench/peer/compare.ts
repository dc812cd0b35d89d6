/**
 * `npm run bench -- --peer etcd`: etcd and this build in turn, on the same loopback, disk and
 * processors, called by the same gRPC library, with commands of the same size, all signed before the
 * clock starts. Each figure is a ratio within one round; over the rounds its spread is shown.
 * Absolute values are printed too, and mean little on a shared machine.
 */
import { cores } from '../cost.js'
import { verificationsPerSecond } from '../floors.js'
import { startCountersignSystem } from './countersign-system.js'
import { startEtcdSystem } from './etcd-system.js'
import { ratiosOf, type Figure, type FigureKind } from './figures.js'
import { measureRound, type RoundOptions } from './round.js'

export interface ComparisonOptions extends RoundOptions {
  readonly rounds: number
  readonly commandBytes: number
  readonly progress: (line: string) => void
}

export interface Comparison {
  readonly figures: readonly Figure[]
  /** Commands a second of three nodes that do nothing but verify: cores / (3 x one check). */
  readonly ed25519Bounds: readonly number[]
  /** What could not be measured, and why. */
  readonly failures: readonly string[]
}

interface Values {
  readonly kind: FigureKind
  readonly etcd: number[]
  readonly countersign: number[]
}

export async function compareWithEtcd(options: ComparisonOptions): Promise<Comparison> {
  const all = new Map<string, Values>()
  const ed25519Bounds: number[] = []
  const failures: string[] = []
  const systems = { etcd: startEtcdSystem, countersign: startCountersignSystem }
  for (let round = 1; round <= options.rounds; round += 1) {
    const head = `round ${String(round)} of ${String(options.rounds)}`
    ed25519Bounds.push((cores * verificationsPerSecond()) / 3)
    for (const name of ['etcd', 'countersign'] as const) {
      const failed = (what: string, why: unknown) => {
        const text = why instanceof Error ? why.message : String(why)
        failures.push(`${head}, ${name}, ${what}: ${text}`)
      }
      const system = await systems[name](options.commandBytes)
      try {
        await measureRound(system, options, {
          say: (line) => {
            options.progress(`${head}, ${name}: ${line}`)
          },
          note: (kind, value) => {
            const values = all.get(kind.name) ?? { kind, etcd: [], countersign: [] }
            all.set(kind.name, values)
            values[name][round - 1] = value
          },
          failed,
        })
      } catch (thrown) {
        failed('the rest of the round', thrown)
      } finally {
        await system.stop()
      }
    }
  }
  const figures = [...all.values()].map(({ kind, etcd, countersign }) => ({
    ...kind,
    ...{ etcd, countersign, ratios: ratiosOf(kind.sense, etcd, countersign) },
  }))
  return { figures, ed25519Bounds, failures }
}
