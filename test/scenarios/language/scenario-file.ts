/**
 * A scenario as text: a head of four lines, then one statement a line; `#` begins a comment, and
 * `repeat N` ... `end` repeats what stands between.
 *
 *     scenario 18: an entry of an old term is not committed by counting
 *     source: L#44, C#220
 *     proves: ...
 *
 * The whole file is read before anything runs: a mistake in the last line is told at once.
 */
import { commands, fails, type Action } from './commands.js'
import { traffic } from './traffic.js'
import { ParseError, Words, type Place } from './words.js'

export interface ScenarioHead {
  readonly number: number
  readonly title: string
  /** Where the case comes from: projects and issues, see docs/scenarios.md. */
  readonly source: string
  readonly proves: string
}

export interface Statement {
  readonly place: Place
  readonly text: string
  /** Acknowledges that a node has stopped itself; everything else takes that for a failure. */
  readonly expectsFailure: boolean
  readonly body: Action | { readonly times: number; readonly statements: readonly Statement[] }
}

export interface ScenarioText extends ScenarioHead {
  readonly file: string
  /** `seeds: 1..50`: it runs once with each; the timeouts of the nodes are drawn from it. */
  readonly seeds: readonly number[]
  readonly statements: readonly Statement[]
}

const repeatsMax = 100_000

export function parseScenario(file: string, text: string): ScenarioText {
  const lines = text.split('\n').map((line, position) => ({
    place: { file, line: position + 1 },
    text: line.replace(/(^|\s)#.*$/, '').trim(),
  }))
  const written = lines.filter((line) => line.text !== '')
  const title = headLine(file, written, /^scenario (\d+): (.+)$/, 'scenario N: TITLE')
  const source = headLine(file, written, /^source: (.+)$/, 'source: WHERE IT COMES FROM')
  const proves = headLine(file, written, /^proves: (.+)$/, 'proves: WHAT IT PROVES')
  const seeds = seedsOf(written)
  const statements = block(written, null)
  return {
    file,
    seeds,
    number: Number(title[1]),
    title: title[2] ?? '',
    source: source[1] ?? '',
    proves: proves[1] ?? '',
    statements,
  }
}

interface Line {
  readonly place: Place
  readonly text: string
}

function headLine(file: string, lines: Line[], form: RegExp, shown: string): RegExpExecArray {
  const line = lines.shift()
  const match = form.exec(line?.text ?? '')
  if (match === null) {
    throw new ParseError(line?.place ?? { file, line: 1 }, `expected the line "${shown}"`)
  }
  return match
}

/** Empty when the line is left out: then every draw takes the middle. */
function seedsOf(lines: Line[]): number[] {
  const match = /^seeds: (\d+)\.\.(\d+)$/.exec(lines[0]?.text ?? '')
  if (match === null) return []
  lines.shift()
  const first = Number(match[1])
  return Array.from({ length: Number(match[2]) - first + 1 }, (_, position) => first + position)
}

/** Statements up to the `end` that closes `opened`, or to the end of the file when it is null. */
function block(lines: Line[], opened: Place | null): Statement[] {
  const statements: Statement[] = []
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const words = new Words(line.place, line.text)
    if (words.takes('end')) {
      words.end()
      if (opened === null) words.fail('nothing is open here')
      return statements
    }
    const times = repeatOf(words)
    statements.push({
      ...line,
      expectsFailure: line.text.startsWith('expect fails '),
      body: times === null ? actionOf(words) : { times, statements: block(lines, line.place) },
    })
  }
  if (opened !== null) throw new ParseError(opened, 'this repeat has no end')
  return statements
}

function repeatOf(words: Words): number | null {
  if (!words.takes('repeat')) return null
  const times = words.number('a number of times')
  if (times > repeatsMax) words.fail(`at most ${String(repeatsMax)} times`)
  words.end()
  return times
}

function actionOf(words: Words): Action {
  const name = words.word('a command')
  if (name === 'expect' && words.takes('fails')) return complete(words, fails)
  const command = commands.get(name) ?? traffic.get(name)
  return complete(words, command ?? words.fail(`unknown command "${name}"`))
}

function complete(words: Words, command: (words: Words) => Action): Action {
  const action = command(words)
  words.end()
  return action
}
