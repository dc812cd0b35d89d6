/** A bad key as one HTML file without scripts: a lane for each client, a bar for each operation. */
import type { BadPrefix } from './bad-prefix.js'
import type { Operation } from './operation.js'

/** The end of a long history is what one has to look at. */
const shownMax = 120
const widthPx = 1200
const leftPx = 120
const lanePx = 34

export function picture(key: string, prefix: BadPrefix): string {
  const shown = prefix.operations.slice(-shownMax)
  const lanes = [...new Set(shown.map(({ client }) => String(client)))].sort()
  const from = Math.min(...shown.map(({ start }) => start))
  const to = Math.max(...shown.map((operation) => Math.max(operation.start, endOf(operation))))
  const xOf = (time: number) => leftPx + ((time - from) / Math.max(to - from, 1e-9)) * widthPx
  const bars = shown.map((operation) => {
    const y = 20 + lanes.indexOf(String(operation.client)) * lanePx
    const x = xOf(operation.start)
    const end = operation.status === 'ok' ? xOf(endOf(operation)) : leftPx + widthPx
    const kind = operation === prefix.last || isSame(operation, prefix.last) ? 'bad' : operation.op
    const label = escape(labelOf(operation))
    return [
      `<g class="${kind} ${operation.status}"><title>${label} ${timesOf(operation)}</title>`,
      `<rect x="${fixed(x)}" y="${String(y)}" width="${fixed(Math.max(end - x, 3))}" height="14" rx="2"/>`,
      `<text x="${fixed(x)}" y="${String(y + 26)}">${label}</text></g>`,
    ].join('')
  })
  const names = lanes.map(
    (lane, at) => `<text class="lane" x="0" y="${String(31 + at * lanePx)}">${escape(lane)}</text>`,
  )
  const left = prefix.operations.length - shown.length
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escape(key)} is not linearizable</title>
<style>
body{font:14px system-ui,sans-serif;margin:24px;background:#fff;color:#1b1f24}
svg{max-width:100%} text{font:10px ui-monospace,monospace;fill:#1b1f24} .lane{font-size:12px}
rect{fill:#9db7d5} .put rect,.cas rect{fill:#7fb08a} .delete rect{fill:#b9a06b}
.info rect{opacity:.45} .bad rect{fill:#c8321f} .bad text{fill:#c8321f;font-weight:bold}
</style>
<h1>${escape(key)} is not linearizable</h1>
<p>No order of these operations explains the red one: <code>${escape(labelOf(prefix.last))}</code>.
Time goes from left to right; what is pale had no answer by then.${left > 0 ? ` ${String(left)} earlier operations are not shown.` : ''}</p>
<svg viewBox="0 0 ${String(leftPx + widthPx + 80)} ${String(40 + lanes.length * lanePx)}" role="img" aria-label="Operations by client and time">
${names.join('\n')}
${bars.join('\n')}
</svg></html>
`
}

/** `put 3`, `get -> 2`, `cas 1 -> 2: false`. */
export function labelOf({ op, value, old, result, status }: Operation): string {
  const text = (part: unknown) => JSON.stringify(part ?? null)
  switch (op) {
    case 'put':
      return `put ${text(value)}`
    case 'delete':
      return 'delete'
    case 'get':
      return status === 'ok' ? `get -> ${text(result)}` : 'get'
    case 'cas':
      return `cas ${text(old)} -> ${text(value)}${result === false ? ': refused' : ''}`
  }
}

const endOf = ({ end, start }: Operation) => end ?? start
const timesOf = ({ start, end }: Operation) =>
  `from ${String(start)} to ${end == null ? 'no answer' : String(end)}`
const isSame = (a: Operation, b: Operation) =>
  a.client === b.client && a.start === b.start && a.op === b.op && a.end === b.end
const fixed = (pixels: number) => pixels.toFixed(1)
const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
