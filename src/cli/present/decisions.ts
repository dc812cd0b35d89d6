import { openComment } from '../../client/index.js'
import type { ChangeView, DecisionView } from '../../machine/index.js'
import { escapeLine } from '../escape.js'
import type { Style } from '../style.js'
import { timeText } from './time.js'

/** Who said what, in the order of the log, and whether it counts. */
export function decisionLines(change: ChangeView, style: Style): string[] {
  return change.decisions.flatMap((decision, index) => {
    const later = change.decisions.slice(index + 1)
    const isReplaced = later.some(({ person }) => person === decision.person)
    const revision =
      decision.revision === change.revision ? '' : ` of revision ${String(decision.revision)}`
    const comment = commentOf(decision)
    return [
      `  ${timeText(decision.at)}  ${escapeLine(decision.person)} ${word(decision, style)}${revision}${isReplaced ? style.dim(' (replaced below)') : standing(decision, style)}`,
      ...(comment === undefined ? [] : [`    "${escapeLine(comment)}"`]),
    ]
  })
}

function word(decision: DecisionView, style: Style): string {
  switch (decision.decision) {
    case 'approve':
      return style.green('approves')
    case 'reject':
      return style.red('rejects')
    case 'revoke':
      return style.yellow('revokes')
    case 'ratify':
      return style.green('ratifies')
  }
}

function standing(decision: DecisionView, style: Style): string {
  if (decision.decision !== 'approve' || decision.counts) return ''
  const { whyNot } = decision
  const why =
    whyNot === undefined ? '' : `: ${escapeLine(whyNot.message)} (${escapeLine(whyNot.code)})`
  return style.yellow(`, does not count${why}`)
}

/** A comment that does not open is left out here; `approve` and `show` never rely on it. */
function commentOf(decision: DecisionView): string | undefined {
  try {
    return openComment(decision)
  } catch {
    return undefined
  }
}
