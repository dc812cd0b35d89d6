/** The sheet that a person reads before signing: everything that the signature will cover. */
import type { ChangeState, ProposeBody } from '../../approval/index.js'
import type { DiffView } from '../../machine/index.js'
import { shortCode } from '../../signing/index.js'
import { escapeLine, escapeLines } from '../escape.js'
import type { Style } from '../style.js'
import { changeLines } from './diff.js'
import { timeText } from './time.js'

export interface Reviewed {
  readonly body: ProposeBody
  /** Computed here, from the exact bytes. */
  readonly contentDigest: string
  readonly diff: readonly DiffView[]
  readonly rationale?: string
  /** Digests of values that nobody handed over. */
  readonly missing: readonly string[]
}

export function reviewLines(
  reviewed: Reviewed,
  style: Style,
  state: ChangeState = 'OPEN',
): string[] {
  const { body, contentDigest } = reviewed
  return [
    style.bold(escapeLine(body.title)),
    ...fact(
      'change',
      `${body.changeId}, revision ${String(body.revision)}, ${escapeLine(body.kind)}`,
    ),
    ...fact('author', authorText(body)),
    ...conditionLines(body),
    ...rationaleLines(reviewed),
    '',
    ...changeLines(reviewed.diff, style, state),
    ...(reviewed.missing.length === 0
      ? []
      : [style.red(`${String(reviewed.missing.length)} detached values are missing`)]),
    '',
    ...fact('digest', contentDigest),
    ...fact('short code', style.bold(shortCode(contentDigest))),
  ]
}

export function fact(name: string, value: string): string[] {
  return [`  ${name.padEnd(11)} ${value}`]
}

function authorText(body: ProposeBody): string {
  const { person, sponsor, provenance } = body
  const parts = [escapeLine(person)]
  if (sponsor !== undefined) parts.push(`asked by ${escapeLine(sponsor)}`)
  if (provenance !== undefined) {
    parts.push(`written by ${escapeLine(provenance.model)} through ${escapeLine(provenance.tool)}`)
  }
  return parts.join(', ')
}

function conditionLines(body: ProposeBody): string[] {
  const lines: string[] = []
  if (body.activate === 'manual') lines.push(...fact('activation', 'by hand, with `activate`'))
  if (body.schedule !== undefined)
    lines.push(...fact('not before', timeText(body.schedule.notBefore)))
  if (body.open !== undefined) lines.push(...fact('open', body.open))
  if (body.use !== undefined) lines.push(...fact('use', body.use))
  if (body.rollback !== undefined) {
    lines.push(...fact('rollback', escapeLine(JSON.stringify(body.rollback))))
  }
  if (body.dependsOn !== undefined) lines.push(...fact('after', body.dependsOn.join(', ')))
  for (const { path, modRevision } of body.asserts ?? []) {
    lines.push(...fact('relies on', `${escapeLine(path)} at revision ${String(modRevision)}`))
  }
  return lines
}

function rationaleLines({ body, rationale }: Reviewed): string[] {
  if (body.rationaleDigest === undefined) return []
  if (rationale === undefined) return fact('reason', '(not at hand; only its digest is signed)')
  const [first = '', ...rest] = escapeLines(rationale).trim().split('\n')
  return [...fact('reason', first), ...rest.map((line) => `${' '.repeat(14)}${line}`)]
}
