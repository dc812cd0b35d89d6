/**
 * What a command says: for people on stdout (results) and stderr (remarks, errors), or with
 * `--json` one line on stdout, always of the same shape:
 *   {"ok":true,"command":"get","result":{...}}
 *   {"ok":false,"command":"get","error":{"code":...,"message":...,"details":{...},"retryable":...}}
 * A command that goes on (watch) prints one such line for each thing that happens.
 */
import { errorTable, type CountersignError } from '../errors.js'
import { escapeLine, escapeLines } from './escape.js'
import { plainStyle, styleFor, type Style } from './style.js'
import type { TextSink, World } from './world.js'

export interface Output {
  readonly json: boolean
  /** Colours for stdout. */
  readonly style: Style
  /** Colours for remarks on stderr. */
  readonly remarkStyle: Style
  readonly columns: number
  /** The result, once a command (or once for each event of a stream). Lines are escaped already. */
  result(value: object, lines: () => readonly string[]): void
  /** A remark for people only: what will be signed, warnings, what to type next. */
  note(...lines: readonly string[]): void
  warn(line: string): void
  /** What is going on right now; only at a terminal, and gone when the next line comes. */
  progress(line: string): void
  failure(error: CountersignError): void
}

export function createOutput(
  world: World,
  options: { readonly json: boolean; readonly command: () => string },
): Output {
  const { stdout, stderr } = world
  const remarks = styleFor(stderr, world.environment)
  let progressStands = false
  const clearProgress = (): void => {
    if (!progressStands) return
    progressStands = false
    stderr.write('\r\u001b[K')
  }
  return {
    json: options.json,
    style: options.json ? plainStyle : styleFor(stdout, world.environment),
    remarkStyle: remarks,
    columns: stdout.columns,
    result(value, lines) {
      clearProgress()
      if (options.json) writeJson(stdout, { ok: true, command: options.command(), result: value })
      else for (const line of lines()) stdout.write(`${line}\n`)
    },
    note(...lines) {
      if (options.json) return
      clearProgress()
      for (const line of lines) stderr.write(`${line}\n`)
    },
    warn(line) {
      if (options.json) return
      clearProgress()
      stderr.write(`${remarks.yellow('warning')}: ${line}\n`)
    },
    progress(line) {
      if (options.json || !stderr.isTerminal) return
      clearProgress()
      stderr.write(remarks.dim(line))
      progressStands = true
    },
    failure(error) {
      clearProgress()
      if (options.json) {
        writeJson(stdout, { ok: false, command: options.command(), error: failureJson(error) })
        return
      }
      stderr.write(`${remarks.red('error')} ${remarks.bold(error.code)}: ${messageOf(error)}\n`)
      for (const line of detailLines(error)) stderr.write(`  ${line}\n`)
      stderr.write(`  ${remarks.cyan('next')}: ${escapeLine(nextStep(error))}\n`)
    },
  }
}

export interface FailureJson {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly retryable: boolean
}

export function failureJson(error: CountersignError): FailureJson {
  return {
    code: error.code,
    message: error.message,
    details: error.details,
    retryable: errorTable[error.code].retryable,
  }
}

/** JSON never carries a raw control character, so a line stays a line on any terminal. */
function writeJson(sink: TextSink, value: object): void {
  const text = JSON.stringify(value)
  sink.write(`${text.replace(invisible, jsonEscape)}\n`)
}

const invisible = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function messageOf(error: CountersignError): string {
  const message = escapeLines(error.message).trim()
  return message === '' ? firstSentence(errorTable[error.code].sentence) : message
}

/** What to do: the caller's own words, else what the table says after what is wrong. */
function nextStep(error: CountersignError): string {
  const own = error.details['next']
  if (typeof own === 'string') return own
  const { sentence } = errorTable[error.code]
  const rest = sentence.slice(firstSentence(sentence).length).trim()
  return rest === '' ? sentence : rest
}

function firstSentence(sentence: string): string {
  const end = sentence.search(/\. |: [a-z]/)
  return end < 0 ? sentence : sentence.slice(0, end + 1)
}

/** Shown elsewhere, or of no use to a person; `--json` has them all. */
const hiddenDetails: ReadonlySet<string> = new Set(['next', 'logIndex', 'repeated', 'revision'])

/** Facts that help a person and are not in the message: a short list of scalars and paths. */
function detailLines(error: CountersignError): string[] {
  const lines: string[] = []
  for (const [name, value] of Object.entries(error.details)) {
    if (hiddenDetails.has(name) || error.message.includes(String(value))) continue
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (typeof text === 'string' && text.length <= 500) {
      lines.push(`${escapeLine(name)}: ${escapeLine(text)}`)
    }
  }
  return lines.slice(0, 8)
}
