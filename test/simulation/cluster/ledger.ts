/**
 * What the committed log says, read a second time and independently of the state machine: who
 * proposed which content, who decided what, where. From it follows whether an activation had its
 * approvals, whether an answer was true, and what watchers must see. Deliberately simple: it knows
 * the rules of the simulation's own founding document (two approvers of three, not the author).
 */
import { isDeepStrictEqual } from 'node:util'
import type { Activation, MachineEvent, WrittenPath } from '../../../src/machine/index.js'
import type { Entry } from '../../../src/raft/index.js'
import { messageDigest, pae, rawPublicKey, type Verify } from '../../../src/signing/index.js'
import { decodeCommand } from '../../../src/wire/index.js'
import { OracleViolation, type EntryReader } from '../oracles.js'
import { approvers, realSigner } from './people.js'

/** Approvals that the founding document asks for, none of them the author's. */
const approvalsNeeded = 2

/** What the watchers of the simulation follow. */
export const watchedPrefix = '/prod/'

interface Said {
  readonly index: number
  readonly word: string
  readonly person: string
  readonly contentDigest: string
}

export interface SeenActivation {
  readonly index: number
  readonly changeId: string
  readonly written: readonly WrittenPath[]
}

export class Ledger implements EntryReader {
  /** In log order, as the first node that applied them told. */
  readonly activations: SeenActivation[] = []
  /** Those that a watcher of the configuration sees. */
  readonly watched: SeenActivation[] = []
  private readonly verify: Verify
  private readonly texts = new WeakMap<Uint8Array, string>()
  private readonly saidOf = new Map<string, Said[]>()
  /** First index of each message that was really signed. */
  private readonly firstIndex = new Map<string, number>()
  private readonly digests = new Map<number, string>()
  private readonly eventsAt = new Map<number, readonly MachineEvent[]>()

  constructor(verify: Verify) {
    this.verify = verify
  }

  describe(entry: Entry): string {
    const { kind, payload } = entry
    let text = this.texts.get(payload)
    if (text === undefined) {
      text = `${kind} ${Buffer.from(payload).toString('latin1')}`
      this.texts.set(payload, text)
    }
    return text
  }

  committed(entry: Entry): void {
    if (entry.kind !== 'command') return
    const command = decodeCommand(entry.payload)
    if (command.kind !== 'submit') return
    const { type, body, signature } = command.envelope
    const said = JSON.parse(Buffer.from(body).toString()) as Record<string, string>
    const { person, changeId, contentDigest } = said
    if (
      person === undefined ||
      changeId === undefined ||
      !this.isSigned(person, type, body, signature)
    )
      return
    const digest = messageDigest(type, body)
    if (this.firstIndex.has(digest)) return
    this.firstIndex.set(digest, entry.index)
    const list = this.saidOf.get(changeId) ?? []
    this.saidOf.set(changeId, list)
    const word = /\.([a-z]+)\.v\d+\+json$/.exec(type)?.[1] ?? ''
    list.push({
      index: entry.index,
      word,
      person,
      contentDigest: word === 'propose' ? digest : (contentDigest ?? ''),
    })
  }

  /** After each entry on each node: one digest and the same events at an index, wherever. */
  applied(node: string, index: number, digest: string, events: readonly MachineEvent[]): void {
    const known = this.digests.get(index)
    if (known === undefined) {
      this.digests.set(index, digest)
      this.eventsAt.set(index, events)
      for (const event of events) {
        if (event.kind === 'activated') this.activated(event.activation, event.written)
      }
      return
    }
    if (known !== digest) {
      throw new OracleViolation('state digests are equal at an equal index', { node, index })
    }
    if (!isDeepStrictEqual(this.eventsAt.get(index), events)) {
      throw new OracleViolation('an entry has the same effects on every node', { node, index })
    }
  }

  /** A result that says "accepted at index" of this message. */
  acknowledged(digest: string, index: number): void {
    const known = this.firstIndex.get(digest)
    if (known !== index) {
      throw new OracleViolation('an accepted message stands in the log where its result says', {
        index,
        known,
      })
    }
  }

  /** Where this message stands in the committed log, if it does. */
  indexOf(digest: string): number | undefined {
    return this.firstIndex.get(digest)
  }

  private isSigned(person: string, type: string, body: Uint8Array, signature: Uint8Array): boolean {
    if (!approvers.some((id) => id === person)) return false
    const publicKey = rawPublicKey(realSigner(person).publicKeySpki)
    return publicKey !== null && this.verify(publicKey, pae(type, body), signature)
  }

  private activated(activation: Activation, written: readonly WrittenPath[]): void {
    const { index, changeId, contentDigest } = activation
    const said = (this.saidOf.get(changeId) ?? []).filter((each) => each.index <= index)
    const author = said.find(
      (each) => each.word === 'propose' && each.contentDigest === contentDigest,
    )?.person
    const last = new Map<string, Said>()
    for (const each of said) if (each.word !== 'propose') last.set(each.person, each)
    const approvals = [...last.values()].filter(
      (each) =>
        each.word === 'approve' && each.person !== author && each.contentDigest === contentDigest,
    )
    const facts = { changeId, index, author, approvals }
    if (author === undefined || approvals.length < approvalsNeeded) {
      throw new OracleViolation('an activation has its approvals at its place in the log', facts)
    }
    if (this.activations.some((each) => each.changeId === changeId)) {
      throw new OracleViolation('a change is activated once', facts)
    }
    const seen = { index, changeId, written }
    this.activations.push(seen)
    if (written.some(({ path }) => path.startsWith(watchedPrefix))) this.watched.push(seen)
  }
}
