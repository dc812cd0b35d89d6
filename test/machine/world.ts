/**
 * A small builder of signed worlds: a genesis with keys from fixed seeds, people who propose and
 * decide, nodes that stamp, and one machine that applies it all. The default world is the example
 * genesis (alice, bob, carol and an agent sponsored by alice; two seats of operators everywhere).
 */
import { decodeGenesis } from '../../src/approval/index.js'
import type {
  DecisionWord,
  Genesis,
  GenesisNode,
  Group,
  Op,
  Person,
  PersonKey,
  PolicyDocument,
  ProposeBody,
  Rule,
} from '../../src/approval/index.js'
import { createMachine } from '../../src/machine/index.js'
import type { Applied, Command, Machine } from '../../src/machine/index.js'
import {
  encodeCanonical,
  encodeDetached,
  messageDigest,
  payloadType,
  sha256,
  sha256Hex,
  signBody,
  toBase64,
  verifyStrict,
} from '../../src/signing/index.js'
import type { Envelope, Json, JsonObject, Signer } from '../../src/signing/index.js'
import { envelopeToJson } from '../../src/signing/index.js'
import { signerFromSeed } from '../../src/signing/key-file.js'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** Monday, 2026-01-05 00:00 UTC. */
export const monday = Date.UTC(2026, 0, 5)

export const genesisHead = { size: 0, root: sha256Hex() }

const signers = new Map<string, Signer>()

export function signerOf(name: string): Signer {
  let signer = signers.get(name)
  if (signer === undefined) {
    signer = signerFromSeed(sha256(new TextEncoder().encode(`countersign test key ${name}`)))
    signers.set(name, signer)
  }
  return signer
}

/** A typed document as the value of an op. */
export const json = (document: unknown): Json => document as Json

export function person(id: string, fields: Partial<Person> = {}): Person {
  return { id, kind: 'human', displayName: id, status: 'active', ...fields }
}

/** The key that `signerOf(name)` holds. */
export function keyOf(name: string, fields: Partial<PersonKey> = {}): PersonKey {
  const signer = signerOf(name)
  return {
    keyId: signer.keyId,
    person: name,
    algorithm: 'ed25519',
    publicKey: toBase64(signer.publicKeySpki),
    uses: ['approve', 'propose'],
    status: 'active',
    ...fields,
  }
}

export function group(name: string, members: readonly string[]): Group {
  return { name, purpose: `The ${name}`, members: [...members].sort(byCodeUnits) }
}

export function policy(...rules: readonly Rule[]): PolicyDocument {
  return { format: 1, rules }
}

/** A rule that opens its paths to the operators and asks for two of them. */
export function rule(id: string, paths: readonly string[], fields: Partial<Rule> = {}): Rule {
  return {
    id,
    paths,
    propose: { groups: ['operators'] },
    need: [{ count: 2, group: 'operators' }],
    ...fields,
  }
}

export interface WorldOptions {
  readonly humans?: readonly string[]
  readonly people?: readonly Person[]
  readonly keys?: readonly PersonKey[]
  readonly groups?: readonly Group[]
  readonly prod?: Partial<Rule>
  readonly governance?: Partial<Rule>
  readonly policies?: readonly { readonly name: string; readonly document: PolicyDocument }[]
  readonly nodes?: number
  readonly genesis?: Partial<Genesis>
}

export const exampleAgent = person('agent', {
  kind: 'agent',
  sponsor: 'alice',
  scope: ['/prod/**'],
  quota: { open: 5, perDay: 20 },
})

export function genesisOf(options: WorldOptions = {}): Genesis {
  const humans = options.humans ?? ['alice', 'bob', 'carol']
  const people = options.people ?? [exampleAgent, ...humans.map((name) => person(name))]
  const keys =
    options.keys ??
    people.map(({ id, kind }) =>
      keyOf(id, {
        uses:
          kind === 'human'
            ? ['approve', 'propose']
            : kind === 'agent'
              ? ['propose']
              : ['analyse', 'detect'],
      }),
    )
  return {
    format: 1,
    name: 'example',
    createdAt: monday,
    featureLevel: 1,
    people: [...people].sort((a, b) => byCodeUnits(a.id, b.id)),
    keys: [...keys].sort((a, b) => byCodeUnits(a.keyId, b.keyId)),
    groups: [group('operators', humans), ...(options.groups ?? [])].sort((a, b) =>
      byCodeUnits(a.name, b.name),
    ),
    policies: [
      {
        name: 'governance',
        document: policy(rule('governance', ['/sys/**'], options.governance)),
      },
      {
        name: 'prod',
        document: policy(
          rule('prod', ['/prod/**'], {
            propose: { groups: ['operators'], agents: 'sponsored' },
            ...options.prod,
          }),
        ),
      },
      ...(options.policies ?? []),
    ].sort((a, b) => byCodeUnits(a.name, b.name)),
    schemas: [],
    nodes: Array.from({ length: options.nodes ?? 3 }, (_, i) => nodeOf(`node-${String(i + 1)}`)),
    floor: { config: 2, sys: 2, lowRisk: [] },
    coolOff: '0s',
    riskTimeout: '2m',
    agreementWindow: '60s',
    defaults: { open: '72h', use: '8h' },
    lifeMax: '30d',
    limits: { openChanges: 1000, openChangesPerPerson: 100, revisionsPerChange: 16 },
    ...options.genesis,
  }
}

export function nodeOf(id: string): GenesisNode {
  const spki = (name: string): string => toBase64(signerOf(`${id} ${name}`).publicKeySpki)
  return {
    id,
    owner: 'Example',
    address: '127.0.0.1:7101',
    role: 'voter',
    incarnation: sha256Hex(new TextEncoder().encode(id)).slice(0, 32),
    nodeKey: spki('node'),
    logKey: spki('log'),
    cosignerKey: spki('cosigner'),
  }
}

/** A node document that can stand beside the others: an address of its own. */
export function nodeAt(id: string, port: number, fields: Partial<GenesisNode> = {}): GenesisNode {
  return { ...nodeOf(id), address: `127.0.0.1:${String(port)}`, ...fields }
}

export type ProposeFields = Omit<Partial<ProposeBody>, 'ops'> & {
  readonly by: string
  /** A shorthand: paths to values; null deletes. */
  readonly set?: Readonly<Record<string, Json>>
  readonly ops?: readonly Op[]
  readonly detached?: readonly Uint8Array[]
  /** Sign with this key instead of the person's own. */
  readonly signer?: Signer
}

export interface StampOf {
  readonly node: string
  readonly ms: number
  readonly lastIndex?: number
}

export interface Proposed extends Applied {
  readonly changeId: string
  readonly contentDigest: string
  readonly command: Extract<Command, { kind: 'submit' }>
}

export class World {
  readonly genesis: Genesis
  readonly clusterId: string
  machine: Machine
  index = 0
  /** Everything applied so far, in order; null: a no-op. */
  readonly log: (Command | null)[] = []
  /** What the clocks of the nodes show. */
  now: number
  private nextChange = 1
  private readonly sequences = new Map<string, number>()

  constructor(options: WorldOptions = {}) {
    const bytes = encodeCanonical(genesisOf(options) as unknown as Json)
    const decoded = decodeGenesis(bytes)
    if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
    this.genesis = decoded.genesis
    this.clusterId = decoded.clusterId
    this.machine = createMachine(this.genesis, this.clusterId)
    this.now = this.genesis.createdAt
    this.skip()
  }

  skip(): Applied {
    this.index++
    this.log.push(null)
    return this.machine.skip(this.index, 1)
  }

  apply(command: Command): Applied {
    this.index++
    this.log.push(command)
    return this.machine.apply({ index: this.index, term: 1, command }, verifyStrict)
  }

  submit(envelope: Envelope, detached: readonly Uint8Array[] = []): Applied {
    return this.apply({ kind: 'submit', envelope, detached })
  }

  /** Moves the clocks of the nodes on and puts a Tick into the log. */
  tick(ms = second): Applied {
    this.now += ms
    return this.apply(this.tickCommand())
  }

  tickTo(at: number): Applied {
    return this.tick(at - this.now)
  }

  tickCommand(stamps?: readonly StampOf[]): Command {
    const voters = this.machine.membership().nodes.filter(({ role }) => role === 'voter')
    const majority = Math.floor(voters.length / 2) + 1
    const given = stamps ?? voters.slice(0, majority).map(({ id }) => ({ node: id, ms: this.now }))
    return {
      kind: 'tick',
      stamps: given.map((one: StampOf) => this.stamp(one.node, one.ms, one.lastIndex)),
    }
  }

  stamp(node: string, ms: number, lastIndex = this.index): Envelope {
    const signer = signerOf(`${node} node`)
    return signBody(
      payloadType('stamp'),
      {
        v: 1,
        clusterId: this.clusterId,
        node,
        keyId: signer.keyId,
        notAfter: ms + day,
        ms,
        lastIndex,
      },
      signer,
    )
  }

  proposeBody(fields: ProposeFields): ProposeBody {
    const { by, set, detached: _detached, signer, ...given } = fields
    const ops = given.ops ?? opsOf(set ?? { '/prod/payments/timeout_ms': 2500 })
    const changeId = given.changeId ?? this.newChangeId()
    return {
      v: 1,
      clusterId: this.clusterId,
      person: by,
      keyId: (signer ?? signerOf(by)).keyId,
      notAfter: this.machine.logTime + day,
      changeId,
      revision: 1,
      kind: kindOf(ops),
      title: `Change ${changeId.slice(-4)}`,
      base: ops.map(({ path }) => ({ path, modRevision: this.modRevision(path) })),
      ...given,
      ops,
    }
  }

  newChangeId(): string {
    return (this.nextChange++).toString(16).padStart(32, '0')
  }

  proposeCommand(fields: ProposeFields): Extract<Command, { kind: 'submit' }> {
    const body = this.proposeBody(fields)
    const signer = fields.signer ?? signerOf(fields.by)
    return {
      kind: 'submit',
      envelope: signBody(payloadType('propose'), body as unknown as JsonObject, signer),
      detached: fields.detached ?? [],
    }
  }

  propose(fields: ProposeFields): Proposed {
    const command = this.proposeCommand(fields)
    const { type, body } = command.envelope
    const { changeId } = JSON.parse(new TextDecoder().decode(body)) as ProposeBody
    const applied = this.apply(command)
    return { ...applied, changeId, contentDigest: messageDigest(type, body), command }
  }

  /** The next revision of a change, on the current base. */
  revise(changeId: string, fields: ProposeFields): Proposed {
    const change = this.change(changeId)
    return this.propose({
      changeId,
      revision: change.revision + 1,
      previousDigest: change.contentDigest,
      kind: change.kind,
      ...fields,
    })
  }

  decisionCommand(
    word: DecisionWord,
    by: string,
    changeId: string,
    fields: JsonObject & { readonly signer?: never } = {},
    signer: Signer = signerOf(by),
  ): Extract<Command, { kind: 'submit' }> {
    const change = this.machine.reads.change(changeId)
    const comment = encodeDetached('because', '00'.repeat(16))
    const body = {
      v: 1,
      clusterId: this.clusterId,
      person: by,
      keyId: signer.keyId,
      notAfter: this.machine.logTime + day,
      decision: word,
      changeId,
      revision: change?.revision ?? 1,
      contentDigest: change?.contentDigest ?? '00'.repeat(32),
      rulesDigest: change?.rulesDigest ?? '00'.repeat(32),
      riskDigest: 'none',
      seq: this.nextSeq(changeId, by),
      seen: genesisHead,
      ...(word === 'reject' ? { commentDigest: comment.digest } : {}),
      ...fields,
    }
    return {
      kind: 'submit',
      envelope: signBody(payloadType(word), body, signer),
      detached: word === 'reject' ? [comment.bytes] : [],
    }
  }

  decide(
    word: DecisionWord,
    by: string,
    changeId: string,
    fields: JsonObject & { readonly signer?: never } = {},
    signer: Signer = signerOf(by),
  ): Applied {
    return this.apply(this.decisionCommand(word, by, changeId, fields, signer))
  }

  approve(by: string, changeId: string, fields: JsonObject & { readonly signer?: never } = {}) {
    return this.decide('approve', by, changeId, fields)
  }

  reject(by: string, changeId: string): Applied {
    return this.decide('reject', by, changeId)
  }

  revoke(by: string, changeId: string): Applied {
    return this.decide('revoke', by, changeId)
  }

  actionCommand(
    word: 'withdraw' | 'activate',
    by: string,
    changeId: string,
    fields: JsonObject = {},
  ): Extract<Command, { kind: 'submit' }> {
    const signer = signerOf(by)
    const change = this.machine.reads.change(changeId)
    const body = {
      v: 1,
      clusterId: this.clusterId,
      person: by,
      keyId: signer.keyId,
      notAfter: this.machine.logTime + day,
      changeId,
      revision: change?.revision ?? 1,
      contentDigest: change?.contentDigest ?? '00'.repeat(32),
      seq: this.nextSeq(changeId, by),
      ...fields,
    }
    return {
      kind: 'submit',
      envelope: signBody(payloadType(word), body, signer),
      detached: [],
    }
  }

  withdraw(by: string, changeId: string, fields: JsonObject = {}): Applied {
    return this.apply(this.actionCommand('withdraw', by, changeId, fields))
  }

  activate(by: string, changeId: string, fields: JsonObject = {}): Applied {
    return this.apply(this.actionCommand('activate', by, changeId, fields))
  }

  ackEnvelope(by: string, signer: Signer = signerOf(by), fields: JsonObject = {}): Envelope {
    return signBody(
      payloadType('ack'),
      {
        v: 1,
        clusterId: this.clusterId,
        person: by,
        keyId: signer.keyId,
        notAfter: this.machine.logTime + day,
        seen: genesisHead,
        ...fields,
      },
      signer,
    )
  }

  acknowledge(by: string, signer: Signer = signerOf(by)): Applied {
    return this.submit(this.ackEnvelope(by, signer))
  }

  /** The document of a new key, with its proof of possession. */
  newKey(by: string, signer: Signer = signerOf(by)): PersonKey {
    return {
      ...keyOf(by),
      keyId: signer.keyId,
      publicKey: toBase64(signer.publicKeySpki),
      // Another `notAfter` than that of the later ack, so that the two are different messages.
      proof: envelopeToJson(
        this.ackEnvelope(by, signer, { notAfter: this.machine.logTime + 2 * day }),
      ),
    }
  }

  /** Proposes and approves by as many of `approvers` as it takes; the change has to activate. */
  carry(fields: ProposeFields, approvers: readonly string[]): Proposed {
    const proposed = this.propose(fields)
    for (const by of approvers) this.approve(by, proposed.changeId)
    const { state } = this.change(proposed.changeId)
    if (state !== 'ACTIVE') {
      const why = proposed.result?.kind === 'refused' ? proposed.result.refusal.message : state
      throw new Error(`The change did not become active: ${why}`)
    }
    return proposed
  }

  change(changeId: string) {
    const view = this.machine.reads.change(changeId)
    if (view === undefined) throw new Error(`There is no change ${changeId}.`)
    return view
  }

  state(changeId: string): string {
    return this.machine.reads.change(changeId)?.state ?? 'none'
  }

  value(path: string): Json | undefined {
    const content = this.machine.reads.get(path)?.content
    return content === undefined || content.kind === 'sealed' ? undefined : content.value
  }

  modRevision(path: string): number {
    return this.machine.reads.get(path)?.modRevision ?? 0
  }

  /** A fresh number for this person on this change, whatever came of the earlier ones. */
  private nextSeq(changeId: string, by: string): number {
    const key = `${changeId}/${by}`
    const seq = (this.sequences.get(key) ?? 0) + 1
    this.sequences.set(key, seq)
    return seq
  }
}

/** Code of the refusal, or the state that the answer names. */
export function outcome(applied: Applied): string {
  const { result } = applied
  if (result === null) return 'none'
  if (result.kind === 'refused') return result.refusal.code
  return result.state ?? 'accepted'
}

/** `CHANGE FROM->TO CODE` of each transition, the change by its last four digits. */
export function transitions(applied: Applied): readonly string[] {
  return applied.events.flatMap((event) =>
    event.kind === 'stateChanged'
      ? [
          `${event.changeId.slice(-4)} ${event.from}->${event.to}${event.code === undefined ? '' : ` ${event.code}`}`,
        ]
      : [],
  )
}

export function opsOf(set: Readonly<Record<string, Json>>): readonly Op[] {
  return Object.keys(set)
    .sort(byCodeUnits)
    .map((path) => {
      const value = set[path] as Json
      return value === null ? { action: 'delete', path } : { action: 'put', path, value }
    })
}

function kindOf(ops: readonly Op[]): ProposeBody['kind'] {
  const path = ops[0]?.path ?? ''
  if (path.startsWith('/sys/policies/')) return 'policy'
  if (path.startsWith('/sys/freezes/')) return 'freeze'
  if (path.startsWith('/sys/cluster/') || path.startsWith('/sys/nodes/')) return 'node'
  return path.startsWith('/sys/') ? 'identity' : 'config'
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
