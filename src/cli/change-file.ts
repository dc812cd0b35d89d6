/** The file of `--file`: a change as a YAML document. docs/cli.md describes it. */
import type { ProposeBody } from '../approval/index.js'
import type { ProposedOp } from '../client/index.js'
import type { Json } from '../signing/index.js'
import type { ChangeRequest } from './change-request.js'
import { badInput } from './failures.js'
import { Fields } from './fields.js'
import { parseMoment } from './parse-moment.js'
import { readDocument } from './read-document.js'

export async function readChangeFile(file: string, nowMs: number): Promise<ChangeRequest> {
  return decodeChange(await readDocument(file), nowMs)
}

export function decodeChange(document: Json, nowMs: number): ChangeRequest {
  const fields = new Fields(document, '')
  const ops: ProposedOp[] = []
  if (fields.has('set')) {
    const set = new Fields(fields.any('set'), 'set')
    for (const path of set.names()) {
      ops.push({ action: 'put', path, value: set.any(path) ?? null })
    }
  }
  if (fields.has('sealed')) {
    const sealed = new Fields(fields.any('sealed'), 'sealed')
    for (const path of sealed.names()) {
      const inner = new Fields(sealed.any(path), `sealed.${path}`)
      const content = {
        ciphertext: inner.text('ciphertext'),
        keyReference: inner.text('keyReference'),
      }
      inner.end()
      ops.push({ action: 'put', path, sealed: content })
    }
  }
  for (const path of fields.texts('delete')) ops.push({ action: 'delete', path })
  const notBefore = fields.textOrNone('notBefore')
  const activate = fields.textOrNone('activate')
  if (activate !== undefined && activate !== 'auto' && activate !== 'manual') {
    throw badInput('activate must be auto or manual.')
  }
  const request: ChangeRequest = {
    ops,
    ...fields.givenTexts(['title', 'reason', 'open', 'use', 'sponsor']),
    asserts: assertsOf(fields.any('asserts')),
    dependsOn: fields.texts('dependsOn'),
    ...(notBefore === undefined ? {} : { notBefore: parseMoment(notBefore, nowMs) }),
    ...(activate === undefined ? {} : { activate }),
    ...rollbackOf(fields.any('rollback')),
    ...provenanceOf(fields.any('provenance')),
  }
  fields.end()
  return request
}

/** A list of paths (the revision is looked up), or a mapping of paths to revisions. */
function assertsOf(value: Json | undefined): ChangeRequest['asserts'] {
  if (value === undefined) return []
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((path) => {
      if (typeof path !== 'string') throw badInput('asserts must list paths.')
      return { path }
    })
  }
  const fields = new Fields(value, 'asserts')
  return fields.names().map((path) => ({ path, modRevision: fields.whole(path) }))
}

function rollbackOf(value: Json | undefined): Pick<ChangeRequest, 'rollback'> {
  if (value === undefined) return {}
  // Passed on as it stands: the nodes decode and judge it.
  return { rollback: value as unknown as NonNullable<ProposeBody['rollback']> }
}

function provenanceOf(value: Json | undefined): Pick<ChangeRequest, 'provenance'> {
  if (value === undefined) return {}
  const fields = new Fields(value, 'provenance')
  const provenance = fields.givenTexts(['model', 'promptDigest', 'tool'])
  fields.end()
  return { provenance }
}
