/** The options that describe a change: the same for propose, preview and revise. */
import path from 'node:path'
import type { Command } from 'commander'
import type { ProposedOp } from '../client/index.js'
import { sha256Hex, type Json } from '../signing/index.js'
import { readChangeFile } from './change-file.js'
import { mergeRequests, type ChangeRequest } from './change-request.js'
import { usage } from './failures.js'
import { parseMoment } from './parse-moment.js'
import { readDocument, readTextFile } from './read-document.js'
import type { Session } from './session.js'
import { gather } from './shared-options.js'
import { parseYaml } from './yaml-document.js'

export interface ChangeOptions {
  readonly set?: readonly string[]
  readonly setString?: readonly string[]
  readonly setFile?: readonly string[]
  readonly delete?: readonly string[]
  readonly file?: string
  readonly title?: string
  readonly reason?: string
  readonly reasonFile?: string
  readonly assert?: readonly string[]
  readonly dependsOn?: readonly string[]
  readonly notBefore?: string
  readonly manual?: true
  readonly open?: string
  readonly use?: string
  readonly sponsor?: string
  readonly model?: string
  readonly tool?: string
  readonly promptFile?: string
}

export function addChangeOptions(command: Command): Command {
  return command
    .option('--set <path=value>', 'put a value: JSON when it is valid JSON, else a string', gather)
    .option('--set-string <path=text>', 'put a string, whatever it looks like', gather)
    .option(
      '--set-file <path=file>',
      'put a file: .json, .yaml, .yml as data, else as a string',
      gather,
    )
    .option('--delete <path>', 'delete a path', gather)
    .option('--file <change.yaml>', 'a whole change as a YAML document (docs/cli.md)')
    .option('--title <text>', 'one line for people; else the first line of the reason')
    .option('--reason <text>', 'why; the whole text travels with the change')
    .option('--reason-file <file>', 'the reason from a file')
    .option('--assert <path[@revision]>', 'the change relies on this path as it is now', gather)
    .option('--depends-on <change>', 'only after this change is active', gather)
    .option('--not-before <time>', 'earliest activation: 2026-11-24T08:00:00Z or +2h')
    .option('--manual', 'wait for `activate` once it is approved')
    .option('--open <duration>', 'time to collect approvals; may only shorten the rules')
    .option('--use <duration>', 'time to activate once approved; may only shorten the rules')
    .option('--sponsor <person>', 'agents: the human who asked; else the registered sponsor')
    .option('--model <name>', 'agents: the model that wrote the change')
    .option('--tool <name>', 'agents: the tool that sends it')
    .option('--prompt-file <file>', 'agents: the prompt; only its SHA-256 is sent')
}

export async function readRequest(
  options: ChangeOptions,
  session: Session,
): Promise<ChangeRequest> {
  const nowMs = session.world.wallMs()
  const given = await fromOptions(options, session, nowMs)
  if (options.file === undefined) return given
  return mergeRequests(await readChangeFile(session.resolve(options.file), nowMs), given)
}

async function fromOptions(
  options: ChangeOptions,
  session: Session,
  nowMs: number,
): Promise<ChangeRequest> {
  const ops: ProposedOp[] = [
    ...(options.set ?? []).map((text) => put(text, '--set', jsonOrString)),
    ...(options.setString ?? []).map((text) => put(text, '--set-string', (value) => value)),
    ...(options.delete ?? []).map((at): ProposedOp => ({ action: 'delete', path: at })),
  ]
  for (const text of options.setFile ?? []) {
    const [at, file] = split(text, '--set-file')
    ops.push({ action: 'put', path: at, value: await valueOfFile(session.resolve(file)) })
  }
  if (options.reason !== undefined && options.reasonFile !== undefined) {
    throw usage('Give the reason once: --reason or --reason-file.')
  }
  const reason =
    options.reasonFile === undefined
      ? options.reason
      : await readTextFile(session.resolve(options.reasonFile))
  const provenance = {
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.tool === undefined ? {} : { tool: options.tool }),
    ...(options.promptFile === undefined
      ? {}
      : { promptDigest: await digestOfFile(session.resolve(options.promptFile)) }),
  }
  return {
    ops,
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(reason === undefined ? {} : { reason }),
    asserts: (options.assert ?? []).map(parseAssert),
    dependsOn: options.dependsOn ?? [],
    ...(options.notBefore === undefined
      ? {}
      : { notBefore: parseMoment(options.notBefore, nowMs) }),
    ...(options.manual === true ? { activate: 'manual' as const } : {}),
    ...(options.open === undefined ? {} : { open: options.open }),
    ...(options.use === undefined ? {} : { use: options.use }),
    ...(options.sponsor === undefined ? {} : { sponsor: options.sponsor }),
    ...(Object.keys(provenance).length === 0 ? {} : { provenance }),
  }
}

function put(text: string, option: string, valueOf: (text: string) => Json): ProposedOp {
  const [at, value] = split(text, option)
  return { action: 'put', path: at, value: valueOf(value) }
}

function split(text: string, option: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1)
    throw usage(`${option} ${text}: a value is missing.`, `Write ${option} /some/path=value.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/**
 * A number that JSON would round (2^53 and above, or with more digits than a double keeps) is not
 * taken as a number: what is signed would not be what was typed.
 */
export function jsonOrString(text: string): Json {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return text
  }
  if (typeof value === 'number' && !keepsItsDigits(text, value)) {
    throw usage(
      `${text} is not kept exactly by a JSON number.`,
      'Write it as a string with --set-string.',
    )
  }
  // The strict profile finds what JSON.parse passes over: a name twice, a rounded number inside.
  const strict = typeof value === 'object' ? parseYaml(text) : undefined
  if (strict?.kind === 'error') throw usage(`The value ${text} is refused: ${strict.message}.`)
  return value
}

function keepsItsDigits(text: string, value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  return /[.eE]/.test(text) || Object.is(value, -0) || String(value) === text.trim()
}

async function valueOfFile(file: string): Promise<Json> {
  return ['.json', '.yaml', '.yml'].includes(path.extname(file).toLowerCase())
    ? readDocument(file)
    : readTextFile(file)
}

async function digestOfFile(file: string): Promise<string> {
  return sha256Hex(new TextEncoder().encode(await readTextFile(file)))
}

function parseAssert(text: string): ChangeRequest['asserts'][number] {
  const match = /^(.+)@(\d{1,15})$/.exec(text)
  if (match === null) return { path: text }
  return { path: match[1] ?? '', modRevision: Number(match[2]) }
}
