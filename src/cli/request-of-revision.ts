/** A revision that exists as a request: what a next revision, or a new change like it, starts from. */
import type { ProposeBody } from '../approval/index.js'
import type { OpenedRevision, ProposedOp } from '../client/index.js'
import type { Json } from '../signing/index.js'
import type { ChangeRequest } from './change-request.js'
import { badInput } from './failures.js'

export function requestOf(opened: OpenedRevision, opsAreReplaced: boolean): ChangeRequest {
  const { body, values, rationale } = opened
  return {
    ops: opsAreReplaced ? [] : opsOfRevision(body, values),
    title: body.title,
    ...(rationale === undefined ? {} : { reason: rationale }),
    // Looked up again: a revision on the current base relies on the current state.
    asserts: (body.asserts ?? []).map(({ path }) => ({ path })),
    dependsOn: body.dependsOn ?? [],
    ...(body.schedule === undefined ? {} : { notBefore: body.schedule.notBefore }),
    ...(body.activate === undefined ? {} : { activate: body.activate }),
    ...(body.open === undefined ? {} : { open: body.open }),
    ...(body.use === undefined ? {} : { use: body.use }),
    ...(body.rollback === undefined ? {} : { rollback: body.rollback }),
    ...(body.sponsor === undefined ? {} : { sponsor: body.sponsor }),
    ...(body.provenance === undefined ? {} : { provenance: body.provenance }),
  }
}

function opsOfRevision(body: ProposeBody, values: ReadonlyMap<string, Json>): ProposedOp[] {
  return body.ops.map((op): ProposedOp => {
    if (op.action === 'delete') return { action: 'delete', path: op.path }
    if ('sealed' in op) return { action: 'put', path: op.path, sealed: op.sealed }
    if ('value' in op) return { action: 'put', path: op.path, value: op.value }
    const value = values.get(op.detached.digest)
    if (value === undefined) {
      throw badInput(`The detached value of ${op.path} is not kept any more: set it again.`)
    }
    return { action: 'put', path: op.path, value, detach: true }
  })
}
