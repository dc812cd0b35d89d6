/** All runs as one HTML file without scripts: faults by node, answers by second, checks. */
import type { JournalEntry } from './journal.js'
import type { RunResult } from './run.js'

const widthPx = 1000
const leftPx = 90
const lanePx = 26
const answersPx = 60

export function timeline(results: readonly RunResult[], seed: number, summary: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Chaos, seed ${String(seed)}</title>
<style>
body{font:15px/1.45 system-ui,sans-serif;margin:24px auto;max-width:1140px;padding:0 16px;background:#fff;color:#1b1f24}
svg{width:100%;height:auto} text{font:12px ui-monospace,monospace;fill:#1b1f24}
.lane{fill:#eef1f4} .fault{fill:#c8321f} .trouble{fill:#7a1fc8} .answers{fill:#4a7fb5}
table{border-collapse:collapse} td{padding:2px 12px 2px 0;vertical-align:top}
.FAIL{color:#b3261e;font-weight:bold} details{margin:8px 0} pre{overflow-x:auto}
</style>
<h1>Chaos, seed ${String(seed)}</h1>
<p>${escape(summary)}</p>
${results.map(section).join('\n')}
</html>
`
}

function section(result: RunResult): string {
  const { nemesis, verdict, why, phase, journal } = result
  const rows = (phase?.checks ?? []).map(
    ({ name, holds, fact }) =>
      `<tr><td class="${holds ? 'ok' : 'FAIL'}">${holds ? 'ok' : 'FAIL'}</td><td>${escape(name)}</td><td>${escape(fact)}</td></tr>`,
  )
  const lines = journal.entries.map(
    ({ atMs, kind, nodes, text }) =>
      `${(atMs / 1000).toFixed(2).padStart(8)}  ${kind.padEnd(7)} ${nodes.join(', ')} ${text}`,
  )
  return `<section><h2>${escape(nemesis)}: ${verdict}</h2>
${why === undefined ? '' : `<p>${escape(why)}</p>`}
${phase === undefined ? '' : drawing(result)}
<table>${rows.join('')}</table>
<details><summary>${String(lines.length)} events</summary><pre>${escape(lines.join('\n'))}</pre></details></section>`
}

function drawing({ nodes, journal, nemesis }: RunResult): string {
  const lastMs = Math.max(1, ...journal.entries.map(({ atMs }) => atMs))
  const totalMs = Math.max(lastMs, journal.answers.length * 1000)
  const xOf = (ms: number) => leftPx + (ms / totalMs) * widthPx
  const lanes = nodes.map((id, at) => {
    const y = 4 + at * lanePx
    const name = `<text x="0" y="${String(y + 14)}">${escape(id)}</text>`
    const lane = `<rect class="lane" x="${String(leftPx)}" y="${String(y)}" width="${String(widthPx)}" height="18"/>`
    const spans = spansOf(id, journal.entries, totalMs).map(
      ({ from, to, entry }) =>
        `<rect class="${entry.kind}" x="${xOf(from).toFixed(1)}" y="${String(y)}" width="${Math.max(2, xOf(to) - xOf(from)).toFixed(1)}" height="18"><title>${escape(entry.text)}, ${(from / 1000).toFixed(1)} to ${(to / 1000).toFixed(1)} s</title></rect>`,
    )
    return `${name}${lane}${spans.join('')}`
  })
  const base = 4 + nodes.length * lanePx + answersPx
  const most = Math.max(
    1,
    ...Array.from(journal.answers, (count: number | undefined) => count ?? 0),
  )
  const bars = Array.from(journal.answers, (count: number | undefined, second) => {
    const height = ((count ?? 0) / most) * answersPx
    return `<rect class="answers" x="${xOf(second * 1000).toFixed(1)}" y="${(base - height).toFixed(1)}" width="${Math.max(1, widthPx / (totalMs / 1000) - 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${String(count ?? 0)} answers in second ${String(second)}</title></rect>`
  })
  return `<svg viewBox="0 0 ${String(leftPx + widthPx + 10)} ${String(base + 20)}" role="img" aria-label="Faults and answers of ${escape(nemesis)}">
${lanes.join('\n')}
<text x="0" y="${String(base - answersPx / 2)}">answers/s</text>
${bars.join('')}
<text x="${String(leftPx)}" y="${String(base + 16)}">0 s</text><text x="${String(leftPx + widthPx - 40)}" y="${String(base + 16)}">${(totalMs / 1000).toFixed(0)} s</text>
</svg>`
}

interface Span {
  readonly from: number
  readonly to: number
  readonly entry: JournalEntry
}

/** From each fault of a node to the heal that follows, of this node or of all. */
function spansOf(id: string, entries: readonly JournalEntry[], endMs: number): readonly Span[] {
  return entries.flatMap((entry, at) => {
    if (!entry.nodes.includes(id) || (entry.kind !== 'fault' && entry.kind !== 'trouble')) return []
    const end = entries
      .slice(at + 1)
      .find(({ kind, nodes }) => kind === 'heal' && (nodes.length === 0 || nodes.includes(id)))
    return [{ from: entry.atMs, to: end?.atMs ?? endMs, entry }]
  })
}

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
