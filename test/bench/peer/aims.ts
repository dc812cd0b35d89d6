/** Whether each aim is met, and if not, by how much it is missed. */
import { median } from '../cost.js'
import type { Comparison } from './compare.js'
import { figureKinds, type Figure } from './figures.js'

export interface Judged {
  readonly aim: string
  /** 1 or more: met. By round. */
  readonly shares: readonly number[]
  /** Of the median; null when nothing was measured. */
  readonly isMet: boolean | null
  readonly verdict: string
}

export function judgeAims({ figures, ed25519Bounds }: Comparison): readonly Judged[] {
  return figures.flatMap((figure) => {
    if (figure.name === figureKinds.stream.name) return judgeStream(figure, ed25519Bounds)
    const { name, aim, ratios } = figure
    if (aim === null) return []
    const wanted = aim === 1 ? 'level or better' : `${String(aim)} times better`
    return [
      judged(
        `${name}: ${wanted}`,
        ratios.map((ratio) => ratio / aim),
      ),
    ]
  })
}

/**
 * One stream shall do 1.5 times etcd's best put rate, or half of what the machine's Ed25519 speed
 * allows, whichever is lower in the round. Both are reported, and the lower one is the aim.
 */
function judgeStream(figure: Figure, bounds: readonly number[]): readonly Judged[] {
  const byPut = figure.ratios.map((ratio) => ratio / 1.5)
  const byBound = figure.countersign.map((ours, round) => ours / ((bounds[round] ?? 0) / 2))
  const byLower = figure.countersign.map((ours, round) => {
    const put = 1.5 * (figure.etcd[round] ?? Number.NaN)
    return ours / Math.min(put, (bounds[round] ?? 0) / 2)
  })
  const { etcd, countersign: own } = figure
  return [
    judged(`one stream: 1.5 x etcd's best put rate (${perSecond(etcd)})`, byPut),
    judged(`one stream: half of the Ed25519 bound (${perSecond(bounds)})`, byBound),
    judged(`one stream (${perSecond(own)}): the lower of these two`, byLower),
  ]
}

const perSecond = (values: readonly number[]) =>
  `${median(values.filter(Number.isFinite)).toFixed(0)}/s`

function judged(aim: string, all: readonly number[]): Judged {
  const shares = all.filter(Number.isFinite)
  if (shares.length === 0) return { aim, shares, isMet: null, verdict: 'not measured' }
  const middle = median(shares)
  const inRounds = shares.filter((share) => share >= 1).length
  const rounds = `in ${String(inRounds)} of ${String(shares.length)} round(s)`
  const isMet = middle >= 1
  const verdict = isMet
    ? `met, ${middle.toFixed(2)} of it, ${rounds}`
    : `MISSED by ${((1 - middle) * 100).toFixed(0)} %, ${middle.toFixed(2)} of it; met ${rounds}`
  return { aim, shares, isMet, verdict }
}
