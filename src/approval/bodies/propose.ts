/** The body of a change's revision, type `propose`. */
import { refusal, type Refusal } from '../../errors.js'
import { compareCodeUnits, depthOf, valueDepthMax, type Json } from '../../signing/index.js'
import { duration } from '../forms/duration.js'
import { path } from '../forms/path.js'
import {
  by,
  choose,
  integer,
  invalid,
  listOf,
  object,
  oneOf,
  optional,
  required,
  setOf,
  setOfStrings,
  within,
  type Check,
  type FieldsOf,
} from '../forms/shape.js'
import { base64, hex16, hex32, id, text } from '../forms/text.js'
import { limits } from '../limits.js'
import type { Op, PathRevision, ProposeBody } from '../types.js'

/** Every signed body begins with these. */
export const head = {
  v: required(integer({ min: 1, max: 1 })),
  clusterId: required(hex32),
  keyId: required(hex32),
  notAfter: required(integer()),
}

const value: Check = (json, at) =>
  depthOf(json) <= valueDepthMax
    ? null
    : refusal('VALUE_NOT_CANONICAL', `${at} is nested deeper than ${valueDepthMax}`, { field: at })

type PutOf<K extends string> = Extract<Op, { readonly [name in K]: unknown }>

const put = required(oneOf('put'))

const detached = object<PutOf<'detached'>['detached']>({
  digest: required(hex32),
  size: required(integer({ min: 1, max: limits.commandBytesMax })),
})

const sealed = object<PutOf<'sealed'>['sealed']>({
  ciphertext: required(base64),
  keyReference: required(text(limits.keyReferenceBytesMax, { min: 1 })),
})

const opWithValue = object<PutOf<'value'>>({
  action: put,
  path: required(path),
  value: required(value),
  schemaId: optional(id),
})

const opWithDetached = object<PutOf<'detached'>>({
  action: put,
  path: required(path),
  detached: required(detached),
  schemaId: optional(id),
})

const opWithSealed = object<PutOf<'sealed'>>({
  action: put,
  path: required(path),
  sealed: required(sealed),
})

const opDelete = object<Extract<Op, { readonly action: 'delete' }>>({
  action: required(oneOf('delete')),
  path: required(path),
})

const op = choose((json) => {
  if (json['action'] === 'delete') return opDelete
  if (json['action'] !== 'put') return null
  const contents = ['value', 'detached', 'sealed'].filter((name) => Object.hasOwn(json, name))
  if (contents.length !== 1) return null
  return { value: opWithValue, detached: opWithDetached, sealed: opWithSealed }[
    contents[0] as 'value' | 'detached' | 'sealed'
  ]
}, 'must be a put with exactly one of value, detached and sealed, or a delete')

const ops = setOf(op, by('path'), { min: 1, max: limits.opsMax })

const pathRevision = object<PathRevision>({
  path: required(path),
  modRevision: required(integer()),
})

const pathRevisions = (max: number): Check => setOf(pathRevision, by('path'), { min: 1, max })

const rollback = object<NonNullable<ProposeBody['rollback']>>(
  {
    plan: required(oneOf('inverse', 'ops', 'none')),
    ops: optional(ops),
    triggers: optional(setOfStrings(id, { min: 1, max: limits.triggersMax })),
    until: optional(duration),
  },
  (plan, at) =>
    (plan.plan === 'ops') === (plan.ops !== undefined)
      ? null
      : invalid(within(at, 'ops'), 'stands there exactly when the plan is "ops"'),
)

const share = object<{ share: number; bake: string }>({
  share: required(integer({ min: 1, max: limits.stageShareMax })),
  bake: required(duration),
})

const label = object<{ name: string; value: string }>({
  name: required(text(limits.stageLabelBytesMax, { min: 1 })),
  value: required(text(limits.stageLabelBytesMax)),
})

const labels = object<{ labels: Json; bake: string }>({
  labels: required(listOf(label, { min: 1, max: limits.stageLabelsMax })),
  bake: required(duration),
})

const stage = choose(
  (json) => (Object.hasOwn(json, 'share') ? share : labels),
  'must be a stage with share or labels',
)

const fields: FieldsOf<ProposeBody> = {
  ...head,
  person: required(id),
  changeId: required(hex16),
  revision: required(integer({ min: 1 })),
  previousDigest: optional(hex32),
  kind: required(
    oneOf('config', 'policy', 'identity', 'schema', 'node', 'freeze', 'rollback', 'emergency'),
  ),
  target: optional(
    object<NonNullable<ProposeBody['target']>>({
      changeId: required(hex16),
      contentDigest: required(hex32),
    }),
  ),
  title: required(text(limits.titleBytesMax, { min: 1 })),
  ops: required(ops),
  base: required(pathRevisions(limits.opsMax)),
  asserts: optional(pathRevisions(limits.assertsMax)),
  deploy: optional(
    object<NonNullable<ProposeBody['deploy']>>({
      repository: required(text(limits.deployRepositoryBytesMax, { min: 1 })),
      from: required(text(limits.deployRevisionBytesMax)),
      to: required(text(limits.deployRevisionBytesMax, { min: 1 })),
      artifact: optional(hex32),
    }),
  ),
  stages: optional(listOf(stage, { min: 1, max: limits.stagesMax })),
  dependsOn: optional(setOfStrings(hex16, { min: 1, max: limits.dependsOnMax })),
  schedule: optional(
    object<NonNullable<ProposeBody['schedule']>>({ notBefore: required(integer()) }),
  ),
  activate: optional(oneOf('auto', 'manual')),
  open: optional(duration),
  use: optional(duration),
  rollback: optional(rollback),
  rationaleDigest: optional(hex32),
  sponsor: optional(id),
  provenance: optional(
    object<NonNullable<ProposeBody['provenance']>>({
      model: required(text(limits.provenanceBytesMax, { min: 1 })),
      promptDigest: required(text(limits.provenanceBytesMax, { min: 1 })),
      tool: required(text(limits.provenanceBytesMax, { min: 1 })),
    }),
  ),
}

export const proposeBody: Check = object<ProposeBody>(fields, judgeWhole)

/** What one field cannot say alone. */
function judgeWhole(body: ProposeBody): Refusal | null {
  if (body.revision > 1 !== (body.previousDigest !== undefined)) {
    return invalid('previousDigest', 'stands there exactly when revision is above 1')
  }
  if ((body.kind === 'rollback') !== (body.target !== undefined)) {
    return invalid('target', 'stands there exactly when the kind is rollback')
  }
  if (body.kind === 'emergency' && body.rationaleDigest === undefined) {
    return invalid('rationaleDigest', 'is mandatory for an emergency')
  }
  if (body.dependsOn?.includes(body.changeId) === true) {
    return invalid('dependsOn', 'names the change itself')
  }
  return judgeBase(body) ?? judgeRollbackOps(body)
}

function judgeBase(body: ProposeBody): Refusal | null {
  const matches =
    body.base.length === body.ops.length &&
    body.ops.every((one, i) => compareCodeUnits(one.path, body.base[i]?.path ?? '') === 0)
  return matches ? null : invalid('base', 'must name exactly the paths of ops')
}

/** A grant may write what the change wrote, nothing else: only those revisions are expected. */
function judgeRollbackOps(body: ProposeBody): Refusal | null {
  const written = new Set(body.ops.map((one) => one.path))
  const beyond = body.rollback?.ops?.find((one) => !written.has(one.path))
  return beyond === undefined
    ? null
    : invalid('rollback.ops', `may only write paths of ops, not ${beyond.path}`)
}
