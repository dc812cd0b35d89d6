import { access } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import type { Group, Person, PersonKind } from '../../approval/index.js'
import { sign, type ProposedOp } from '../../client/index.js'
import type { Json } from '../../signing/index.js'
import type { OpenSession } from '../command-module.js'
import { composeChange } from '../compose-change.js'
import { badInput, usage } from '../failures.js'
import { readGovernance } from '../governed-documents.js'
import { decodeKeyRequest, keyDocument, makeKeyRequest, type KeyRequest } from '../key-request.js'
import { countOption } from '../parse-count.js'
import { readDocument, readTextFile } from '../read-document.js'
import { readSigner } from '../read-signer.js'
import { reportSubmitted } from '../report-submitted.js'
import { reviewBeforeSigning } from '../review-before-signing.js'
import type { Session } from '../session.js'
import { gather } from '../shared-options.js'

interface Options {
  readonly kind: string
  readonly group?: readonly string[]
  readonly displayName?: string
  readonly keyFile?: string
  readonly title?: string
  readonly reason?: string
  readonly sponsor?: string
  readonly scope?: readonly string[]
  readonly quotaOpen?: number
  readonly quotaPerDay?: number
}

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<person>', 'id: a-z, 0-9 and "-"')
    .option('--kind <kind>', 'human, agent or service', 'human')
    .option('--group <name>', 'a group to join; repeatable', gather)
    .option('--display-name <text>', 'how people know them; else the id')
    .option('--key-file <file>', 'the request that `key new` made (or the private key itself)')
    .option('--sponsor <person>', 'agents: the human who answers for it')
    .option('--scope <glob>', 'agents: paths that it may propose on; repeatable', gather)
    .option('--quota-open <count>', 'agents: open changes at one time', countOption)
    .option('--quota-per-day <count>', 'agents: changes a day', countOption)
    .option('--title <text>', 'title of the change')
    .option('--reason <text>', 'why; the whole text travels with the change')
    .action(async (id: string, options: Options) => {
      const session = open()
      const { person, signer } = await session.signer()
      const { clusterId, genesis } = await session.cluster()
      const document = personOf(id, options)
      const request = await keyRequestOf(session, id, document.kind, options)
      const client = await session.client()
      const { governed, groups } = await readGovernance(client, genesis)
      if (governed.person(id) !== undefined) {
        throw badInput(
          `There is a person ${id} already.`,
          'Choose another id; ids are never reused.',
        )
      }
      const ops: ProposedOp[] = [
        { action: 'put', path: `/sys/people/${id}`, value: document as unknown as Json },
        {
          action: 'put',
          path: `/sys/keys/${request.keyId}`,
          value: keyDocument(request) as unknown as Json,
        },
        ...(options.group ?? []).map((name) => joinGroup(groups, name, id)),
      ]
      const joined = options.group === undefined ? '' : ` to ${options.group.join(', ')}`
      const { message, reviewed } = await composeChange(
        client,
        {
          ops,
          title: options.title ?? `Add ${id} (${document.kind})${joined}`,
          ...(options.reason === undefined ? {} : { reason: options.reason }),
          asserts: [],
          dependsOn: [],
        },
        { clusterId, person, keyId: signer.keyId },
      )
      await reviewBeforeSigning(session, reviewed, 'Sign and propose this?')
      const result = await client.propose(sign(message, signer))
      await reportSubmitted(session, client, result, reviewed.contentDigest)
      session.output.note(`When it is active: countersign key ack --as ${id}`)
    })
}

function personOf(id: string, options: Options): Person {
  const kind = (['human', 'agent', 'service'] as const).find((each) => each === options.kind)
  if (kind === undefined) throw usage(`"${options.kind}" is not a kind: human, agent, service.`)
  if (kind === 'agent' && options.sponsor === undefined) {
    throw usage('An agent needs a human who answers for it.', 'Add --sponsor <person>.')
  }
  const { quotaOpen, quotaPerDay } = options
  if ((quotaOpen === undefined) !== (quotaPerDay === undefined)) {
    throw usage('--quota-open and --quota-per-day belong together.')
  }
  return {
    id,
    kind,
    displayName: options.displayName ?? id,
    status: 'active',
    ...(options.sponsor === undefined ? {} : { sponsor: options.sponsor }),
    ...(options.scope === undefined ? {} : { scope: [...new Set(options.scope)].sort() }),
    ...(quotaOpen === undefined || quotaPerDay === undefined
      ? {}
      : { quota: { open: quotaOpen, perDay: quotaPerDay } }),
  }
}

function joinGroup(groups: readonly Group[], name: string, id: string): ProposedOp {
  const group = groups.find((each) => each.name === name)
  if (group === undefined) {
    throw badInput(
      `There is no group ${name}.`,
      `Groups: ${groups.map((each) => each.name).join(', ')}.`,
    )
  }
  const members = [...new Set([...group.members, id])].sort()
  return { action: 'put', path: `/sys/groups/${name}`, value: { ...group, members } }
}

async function keyRequestOf(
  session: Session,
  id: string,
  kind: PersonKind,
  options: Options,
): Promise<KeyRequest> {
  const file =
    options.keyFile === undefined ? await usualFile(session, id) : session.resolve(options.keyFile)
  const text = await readTextFile(file)
  if (text.includes('PRIVATE KEY')) {
    const { clusterId } = await session.cluster()
    const signer = await readSigner(session.world, { person: id, file })
    const holder = { clusterId, person: id, nowMs: session.world.wallMs() }
    return makeKeyRequest(holder, signer, usesFor(kind))
  }
  const request = decodeKeyRequest(await readDocument(file), file)
  if (request.person !== id) {
    throw badInput(`${file} is a request of ${request.person}, not of ${id}.`)
  }
  return kind === 'human' ? request : { ...request, uses: usesFor(kind) }
}

function usesFor(kind: PersonKind): KeyRequest['uses'] {
  switch (kind) {
    case 'human':
      return ['approve', 'propose']
    case 'agent':
      return ['propose']
    case 'service':
      return ['analyse', 'detect']
  }
}

/** Where `key new` writes when it is not told otherwise. */
async function usualFile(session: Session, id: string): Promise<string> {
  const file = path.join(session.directory, 'people', `${id}.key-request.json`)
  try {
    await access(file)
    return file
  } catch {
    throw usage(
      'The key of the new person is missing.',
      `Have them run \`countersign key new --as ${id}\` and give you the request: --key-file <file>.`,
    )
  }
}
