/** What a change does to what stands now, line by line. Computed from raw data, never fetched. */
import type { ChangeState } from '../../approval/index.js'
import type { DiffView } from '../../machine/index.js'
import { escapeLine } from '../escape.js'
import type { Style } from '../style.js'
import { contentLines, type Content } from './content.js'

export function diffLines(diff: readonly DiffView[], style: Style): string[] {
  return diff.flatMap((item) => itemLines(item, style))
}

/**
 * Of an open change the difference against what stands now. When it is closed, that difference would
 * say nothing (an active one differs from nothing): then what it wrote, or would have written.
 */
export function changeLines(diff: readonly DiffView[], style: Style, state: ChangeState): string[] {
  if (state === 'OPEN' || state === 'APPROVED') return diffLines(diff, style)
  const heading = state === 'ACTIVE' ? 'What it wrote:' : 'What it would have written:'
  return [style.dim(heading), ...writtenLines(diff, style)]
}

/** What the ops write, without a look at what stands now. */
export function writtenLines(diff: readonly DiffView[], style: Style): string[] {
  return diff.flatMap(({ path, after }) =>
    after === undefined
      ? [`${style.red(escapeLine(path))} (deletes it)`]
      : [style.green(escapeLine(path)), ...linesOf(after).map((line) => `    ${line}`)],
  )
}

/** Paths whose value would stay exactly as it is. */
export function unchangedPaths(diff: readonly DiffView[]): string[] {
  return diff
    .filter(
      ({ before, after }) =>
        before !== undefined && after !== undefined && textOf(before) === textOf(after),
    )
    .map(({ path }) => path)
}

function itemLines(item: DiffView, style: Style): string[] {
  const { before, after } = item
  const path = escapeLine(item.path)
  if (before === undefined && after === undefined)
    return [`${style.yellow(`- ${path}`)}  (deletes it, but nothing stands here)`]
  if (before === undefined) {
    return [style.green(`+ ${path}`), ...marked(linesOf(after), '+', style.green)]
  }
  const revision = style.dim(`  (revision ${String(item.modRevision)})`)
  if (after === undefined) {
    return [style.red(`- ${path}`) + revision, ...marked(linesOf(before), '-', style.red)]
  }
  if (textOf(before) === textOf(after)) {
    return [`= ${path}${revision}  unchanged`]
  }
  return [
    style.yellow(`~ ${path}`) + revision,
    ...changedLines(linesOf(before), linesOf(after), style),
  ]
}

function textOf(content: Content): string {
  return linesOf(content).join('\n')
}

function linesOf(content: Content | undefined): string[] {
  return content === undefined ? [] : contentLines(content)
}

function marked(
  lines: readonly string[],
  mark: string,
  colour: (text: string) => string,
): string[] {
  return lines.map((line) => colour(`    ${mark} ${line}`))
}

type Step = { readonly mark: ' ' | '+' | '-'; readonly line: string }

function changedLines(before: readonly string[], after: readonly string[], style: Style): string[] {
  const steps = compareLines(before, after)
  const shown = new Set<number>()
  for (const [index, step] of steps.entries()) {
    if (step.mark === ' ') continue
    for (let near = index - contextLines; near <= index + contextLines; near++) shown.add(near)
  }
  // One line left out would only be replaced by a line that says so.
  for (let index = 0; index < steps.length; index++) {
    const isAlone = [index - 1, index + 1].every((at) => !(at in steps) || shown.has(at))
    if (isAlone) shown.add(index)
  }
  const lines: string[] = []
  let skipped = 0
  for (const [index, { mark, line }] of steps.entries()) {
    if (!shown.has(index)) {
      skipped += 1
      continue
    }
    if (skipped > 0) lines.push(style.dim(`      ... ${String(skipped)} equal lines`))
    skipped = 0
    const text = `    ${mark} ${line}`
    lines.push(mark === '+' ? style.green(text) : mark === '-' ? style.red(text) : style.dim(text))
  }
  if (skipped > 0) lines.push(style.dim(`      ... ${String(skipped)} equal lines`))
  return lines
}

const contextLines = 2
/** Above it the table of the comparison (lines x lines) costs too much: all old, then all new. */
const comparedCellsMax = 1_000_000

/** Longest common subsequence of lines (Hunt and McIlroy's problem, by the plain table). */
function compareLines(before: readonly string[], after: readonly string[]): Step[] {
  const whole = (lines: readonly string[], mark: '+' | '-'): Step[] =>
    lines.map((line) => ({ mark, line }))
  if (before.length * after.length > comparedCellsMax) {
    return [...whole(before, '-'), ...whole(after, '+')]
  }
  const width = after.length + 1
  const common = new Uint32Array((before.length + 1) * width)
  const at = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const steps: Step[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      steps.push({ mark: ' ', line: before[i] ?? '' })
      i += 1
      j += 1
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      steps.push({ mark: '-', line: before[i] ?? '' })
      i += 1
    } else {
      steps.push({ mark: '+', line: after[j] ?? '' })
      j += 1
    }
  }
  return steps
}
