/**
 * The only reader of configuration: defaults < file < environment < flags. The result is checked
 * as a whole, with paths made absolute, and frozen.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Ajv, type ErrorObject } from 'ajv'
import { CountersignError } from '../errors.js'
import { nearest } from './nearest.js'
import {
  configurationSchema,
  environmentName,
  settingKeys,
  settingOf,
  type Setting,
  type SettingKey,
} from './schema.js'
import type { NodeConfig } from './types.js'

export interface ConfigSources {
  /** JSON file; relative paths in it are relative to it. */
  readonly file: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** By dotted key, as text: `{'raft.tickMs': '5'}`. */
  readonly flags?: Readonly<Record<string, string>>
}

/** Throws CONFIG_INVALID with the key and what to do about it. */
export async function loadNodeConfig(sources: ConfigSources): Promise<NodeConfig> {
  const environment = sources.environment ?? {}
  const given = await readValues(sources.file)
  const environmentNames = new Map(settingKeys.map((key) => [environmentName(key), key]))
  for (const [name, text] of Object.entries(environment)) {
    const key = environmentNames.get(name)
    if (key !== undefined && text !== undefined) given.set(key, parse(key, text, name))
    else refuseMisspelt(name, [...environmentNames.keys()])
  }
  for (const [flag, text] of Object.entries(sources.flags ?? {})) {
    const key = knownKey(flag)
    given.set(key, parse(key, text, flag))
  }
  return finish(given, dirname(resolve(sources.file)), environment)
}

type Values = Map<SettingKey, unknown>

async function readValues(file: string): Promise<Values> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new CountersignError(
      'CONFIG_INVALID',
      `The configuration file ${file} cannot be read: ${(cause as Error).message}.`,
      { details: { file }, cause },
    )
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new CountersignError(
      'CONFIG_INVALID',
      `The configuration file ${file} is not JSON: ${(cause as Error).message}.`,
      { details: { file }, cause },
    )
  }
  const values: Values = new Map()
  collect(parsed, '', values)
  return values
}

function collect(value: unknown, at: string, into: Values): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(at, at === '' ? 'must be an object of keys' : 'must be a section of keys')
  }
  for (const [name, inner] of Object.entries(value)) {
    const path = at === '' ? name : `${at}.${name}`
    const isSection = settingKeys.some((key) => key.startsWith(`${path}.`))
    if (isSection) collect(inner, path, into)
    else into.set(knownKey(path), inner)
  }
}

function knownKey(path: string): SettingKey {
  const found = settingKeys.find((key) => key === path)
  if (found !== undefined) return found
  const close = nearest(path, settingKeys)
  const hint = close === null ? '' : ` Did you mean \`${close}\`?`
  throw new CountersignError('CONFIG_INVALID', `There is no key \`${path}\`.${hint}`, {
    details: close === null ? { key: path } : { key: path, nearest: close },
  })
}

/** A variable of another program part (COUNTERSIGN_DIR) is none of ours; a near miss is. */
function refuseMisspelt(name: string, known: readonly string[]): void {
  if (!name.startsWith('COUNTERSIGN_')) return
  const sections = new Set(settingKeys.filter((key) => key.includes('.')).map(sectionPrefix))
  if (![...sections].some((prefix) => name.startsWith(prefix))) return
  if (name === testSwitch) return
  const close = nearest(name, known)
  const hint = close === null ? '' : ` Did you mean ${close}?`
  throw new CountersignError('CONFIG_INVALID', `There is no setting ${name}.${hint}`, {
    details: { variable: name },
  })
}

function sectionPrefix(key: string): string {
  return `COUNTERSIGN_${(key.split('.')[0] ?? '').toUpperCase()}_`
}

const testSwitch = 'COUNTERSIGN_TEST_OPTIONS'

function parse(key: SettingKey, text: string, source: string): unknown {
  const { type } = settingOf(key)
  switch (type) {
    case 'string':
      return text
    case 'integer':
      if (/^-?\d+$/.test(text)) return Number(text)
      throw invalid(key, `must be a whole number, not ${JSON.stringify(text)} (${source})`)
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      throw invalid(key, `must be true or false, not ${JSON.stringify(text)} (${source})`)
    case 'members':
      return parseMembers(key, text, source)
    case 'addresses':
      return Object.fromEntries(
        text.split(',').map((pair) => {
          const [id, address] = pair.split('=')
          if (id === undefined || address === undefined) {
            throw invalid(
              key,
              `must be node=host:port,..., not ${JSON.stringify(text)} (${source})`,
            )
          }
          return [id.trim(), address.trim()]
        }),
      )
  }
}

function parseMembers(key: SettingKey, text: string, source: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(key, `must be a JSON list of members, not ${JSON.stringify(text)} (${source})`)
  }
}

function finish(
  given: Values,
  base: string,
  environment: Readonly<Record<string, string | undefined>>,
): NodeConfig {
  const effective: Record<string, unknown> = {}
  for (const key of settingKeys) {
    const setting: Setting = settingOf(key)
    const value = valueOf(key, setting, given)
    if (value === undefined && setting.isOptional === true) continue
    if (value === undefined) throw invalid(key, 'is missing')
    set(effective, key, setting.isPath && typeof value === 'string' ? resolve(base, value) : value)
  }
  const validate = new Ajv({ allErrors: false }).compile<NodeConfig>(configurationSchema())
  if (!validate(effective)) throw fromSchema(validate.errors?.[0])
  checkTogether(effective, environment)
  return deepFreeze(effective)
}

function valueOf(key: SettingKey, setting: Setting, given: Values): unknown {
  if (given.has(key)) return given.get(key)
  if (setting.type === 'addresses') return {}
  if (setting.type === 'members') return []
  if (setting.defaultsTo !== undefined) {
    const source = knownKey(setting.defaultsTo)
    return valueOf(source, settingOf(source), given)
  }
  return setting.default
}

function set(target: Record<string, unknown>, key: string, value: unknown): void {
  const [first = '', second] = key.split('.')
  if (second === undefined) target[first] = value
  else ((target[first] ??= {}) as Record<string, unknown>)[second] = value
}

function fromSchema(error: ErrorObject | undefined): CountersignError {
  const key = (error?.instancePath ?? '').slice(1).replaceAll('/', '.')
  const allowed = (error?.params as { readonly allowedValues?: readonly string[] } | undefined)
    ?.allowedValues
  const problem =
    allowed === undefined
      ? (error?.message ?? 'is not valid')
      : `must be one of ${allowed.join(', ')}`
  return invalid(key, problem)
}

function checkTogether(
  config: NodeConfig,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const { raft, test } = config
  if (raft.electionTicksMin <= raft.heartbeatTicks) {
    throw invalid('raft.electionTicksMin', 'must be greater than raft.heartbeatTicks')
  }
  if (raft.electionTicksMax <= raft.electionTicksMin) {
    throw invalid('raft.electionTicksMax', 'must be greater than raft.electionTicksMin')
  }
  if (raft.inflightBytesMax < raft.appendBytesMax) {
    throw invalid('raft.inflightBytesMax', 'must be at least raft.appendBytesMax')
  }
  if (config.join !== (config.incarnation !== undefined)) {
    throw invalid('incarnation', 'stands there exactly when `join` is true')
  }
  for (const option of ['admitForged', 'powerCut'] as const) {
    if (!test[option] || environment[testSwitch] === '1') continue
    throw invalid(`test.${option}`, `is only for tests: it asks for ${testSwitch}=1`)
  }
}

function invalid(key: string, rule: string): CountersignError {
  const name = key === '' ? 'The configuration' : `\`${key}\``
  return new CountersignError(
    'CONFIG_INVALID',
    `${name} ${rule}. docs/configuration.md lists every key.`,
    { details: { key } },
  )
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object)
  }
  return Object.freeze(value)
}
