/**
 * What belongs to a later feature level. A build knows the names of what comes, so that
 * it can say FEATURE_LEVEL and not "unknown field"; judging by the level committed at the entry's
 * index keeps every log valid under every later build.
 *
 * What each level brings: docs/approval-model.md.
 */
import { refusal, type Refusal } from '../../errors.js'
import type { Json, JsonObject, PayloadWord } from '../../signing/index.js'
import { isObject } from '../forms/shape.js'
import type { ChangeKind } from '../types.js'

/** The highest level that this build knows. */
export const featureLevelMax = 2

const levelOfWord: Partial<Record<PayloadWord, number>> = {
  recover: 3,
  risk: 4,
  ratify: 5,
  detect: 5,
  rollback: 5,
  stage: 5,
}

const levelOfKind: Partial<Record<ChangeKind, number>> = {
  schema: 4,
  rollback: 5,
  emergency: 5,
}

const levelOfProposeField: Readonly<Record<string, number>> = {
  deploy: 4,
  stages: 5,
  target: 5,
}

const levelOfOpField: Readonly<Record<string, number>> = { schemaId: 4 }

export function laterWord(word: PayloadWord, level: number): Refusal | null {
  return above(`messages of type ${word}`, levelOfWord[word], level)
}

/** Body version 1 is the only one so far; which level brings the next is not known here. */
export function laterVersion(body: JsonObject, level: number): Refusal | null {
  const version = body['v']
  if (typeof version !== 'number' || version <= 1) return null
  return refusal(
    'FEATURE_LEVEL',
    `body version ${version} is above the committed feature level ${level}`,
    { level, field: 'v' },
  )
}

export function laterKind(kind: ChangeKind, level: number): Refusal | null {
  return above(`changes of kind ${kind}`, levelOfKind[kind], level)
}

/** Looks at raw JSON, before its shape is judged. */
export function laterProposeField(body: JsonObject, level: number): Refusal | null {
  const kind = body['kind']
  if (kind === 'schema' || kind === 'rollback' || kind === 'emergency') {
    const fault = laterKind(kind, level)
    if (fault !== null) return fault
  }
  for (const name of Object.keys(body)) {
    const fault = aboveField(name, levelOfProposeField, level)
    if (fault !== null) return fault
  }
  const rollback = body['rollback']
  const inverse = rollback !== undefined && isObject(rollback) ? rollback['ops'] : undefined
  return laterOpField(body['ops'], level) ?? laterOpField(inverse, level)
}

function laterOpField(ops: Json | undefined, level: number): Refusal | null {
  if (!Array.isArray(ops)) return null
  for (const op of ops as readonly unknown[]) {
    if (typeof op !== 'object' || op === null) continue
    for (const name of Object.keys(op)) {
      const fault = aboveField(name, levelOfOpField, level)
      if (fault !== null) return fault
    }
  }
  return null
}

function aboveField(
  name: string,
  levels: Readonly<Record<string, number>>,
  level: number,
): Refusal | null {
  return Object.hasOwn(levels, name) ? above(`the field ${name}`, levels[name], level) : null
}

export function above(what: string, needed: number | undefined, level: number): Refusal | null {
  if (needed === undefined || needed <= level) return null
  return refusal('FEATURE_LEVEL', `${what}: needs feature level ${needed}, committed is ${level}`, {
    needed,
    level,
  })
}
