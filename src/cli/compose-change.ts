/** From a request to a message that is ready to be signed, on the base that stands now. */
import { isPath, type Op, type ProposeBody } from '../approval/index.js'
import {
  composePropose,
  diffOps,
  readCurrent,
  type Composed,
  type CountersignClient,
  type CurrentEntries,
} from '../client/index.js'
import type { DiffView } from '../machine/index.js'
import { decodeDetached, detachedDigest, type Json } from '../signing/index.js'
import { titleOf, type ChangeRequest } from './change-request.js'
import { badInput, usage } from './failures.js'
import { findChangeId } from './find-change.js'
import type { Reviewed } from './present/review.js'

export interface Author {
  readonly clusterId: string
  readonly person: string
  readonly keyId: string
}

export interface ComposedChange {
  readonly message: Composed<ProposeBody>
  readonly reviewed: Reviewed
}

/** `next`: a further revision of a change that exists. */
export async function composeChange(
  client: CountersignClient,
  request: ChangeRequest,
  author: Author,
  next?: { readonly changeId: string; readonly revision: number; readonly previousDigest: string },
): Promise<ComposedChange> {
  if (request.ops.length === 0) {
    throw usage('Nothing would change.', 'Name what to change: --set, --delete or --file.')
  }
  const title = titleOf(request)
  if (title === undefined) {
    throw usage('A title is missing.', 'Add --title, or a --reason whose first line says it.')
  }
  const paths = request.ops.map((op) => op.path)
  const bad = [...paths, ...request.asserts.map((each) => each.path)].find(isNoPath)
  if (bad !== undefined) {
    throw badInput(
      `"${bad}" is not a path.`,
      'A path looks like /prod/payments/timeout_ms: letters, digits and . _ ~ - in each segment.',
    )
  }
  const current = await readCurrent(client, paths)
  const dependsOn = await Promise.all(request.dependsOn.map((id) => findChangeId(client, id)))
  const message = composePropose({
    ...author,
    ...next,
    title,
    ops: request.ops,
    base: current.base,
    ...(request.asserts.length === 0 ? {} : { asserts: await assertsOf(client, request) }),
    ...(dependsOn.length === 0 ? {} : { dependsOn }),
    ...(request.notBefore === undefined ? {} : { notBefore: request.notBefore }),
    ...(request.activate === undefined ? {} : { activate: request.activate }),
    ...(request.open === undefined ? {} : { open: request.open }),
    ...(request.use === undefined ? {} : { use: request.use }),
    ...(request.rollback === undefined ? {} : { rollback: request.rollback }),
    ...(request.reason === undefined ? {} : { rationale: request.reason }),
    ...(await accountability(client, request, author.person)),
  })
  return { message, reviewed: reviewOf(message, current, request.reason) }
}

/** What the author reads before signing is taken from the bytes to be signed, not from the input. */
function reviewOf(
  message: Composed<ProposeBody>,
  current: CurrentEntries,
  reason: string | undefined,
): Reviewed {
  const values = new Map<string, Json>()
  for (const bytes of message.detached) {
    const part = decodeDetached(bytes)
    if (part.kind === 'ok') values.set(detachedDigest(bytes), part.value)
  }
  const ops: readonly Op[] = message.body.ops
  const diff: readonly DiffView[] = diffOps({ ops, values }, current)
  return {
    body: message.body,
    contentDigest: message.digest,
    diff,
    missing: [],
    ...(reason === undefined ? {} : { rationale: reason }),
  }
}

async function assertsOf(
  client: CountersignClient,
  request: ChangeRequest,
): Promise<{ readonly path: string; readonly modRevision: number }[]> {
  const written = new Set(request.ops.map((op) => op.path))
  const twice = request.asserts.find(({ path }) => written.has(path))
  if (twice !== undefined) {
    throw badInput(`${twice.path} is written and asserted; its base is asserted already.`)
  }
  const unknown = request.asserts.filter(({ modRevision }) => modRevision === undefined)
  const { base } = await readCurrent(
    client,
    unknown.map(({ path }) => path),
  )
  const found = new Map(base.map(({ path, modRevision }) => [path, modRevision]))
  return request.asserts.map(({ path, modRevision }) => ({
    path,
    modRevision: modRevision ?? found.get(path) ?? 0,
  }))
}

/** An agent must name who asked and what wrote the change; a human need not. */
async function accountability(
  client: CountersignClient,
  request: ChangeRequest,
  person: string,
): Promise<{ sponsor?: string; provenance?: NonNullable<ProposeBody['provenance']> }> {
  const document = await personDocument(client, person)
  const agent = document?.['kind'] === 'agent'
  const registered = document?.['sponsor']
  const sponsor =
    request.sponsor ?? (agent && typeof registered === 'string' ? registered : undefined)
  const { provenance } = request
  if (!agent && provenance === undefined) return sponsor === undefined ? {} : { sponsor }
  if (provenance?.model === undefined) {
    throw usage(
      `${person} is an agent: say which model wrote the change.`,
      'Add --model <name>; --tool and --prompt-file if you have them.',
    )
  }
  return {
    ...(sponsor === undefined ? {} : { sponsor }),
    provenance: {
      model: provenance.model,
      promptDigest: provenance.promptDigest ?? 'none',
      tool: provenance.tool ?? 'countersign-cli',
    },
  }
}

async function personDocument(
  client: CountersignClient,
  person: string,
): Promise<Readonly<Record<string, Json>> | undefined> {
  const { entries } = await readCurrent(client, [`/sys/people/${person}`])
  const content = entries.get(`/sys/people/${person}`)?.content
  if (content?.kind !== 'value') return undefined
  const { value } = content
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, Json>>)
    : undefined
}

function isNoPath(text: string): boolean {
  return !isPath(text)
}
