/**
 * Clients: each makes one change after the other, from the proposal over the approvals of two
 * others to the end, and reads paths in between. Every message is sent until its outcome is known;
 * some are sent again although it is, some with a spoilt signature.
 */
import {
  composeAction,
  composeDecision,
  composePropose,
  sign,
  type ProposedOp,
  type SignedMessage,
} from '../../../src/client/index.js'
import type { PathRevision } from '../../../src/approval/index.js'
import type { ChangeView } from '../../../src/machine/index.js'
import type { CommandResult } from '../../../src/machine/index.js'
import { OracleViolation } from '../oracles.js'
import type { SeededRandom } from '../random.js'
import type { Schedule } from '../schedule.js'
import type { ClusterHistory, OpenWrite } from './cluster-history.js'
import type { ClusterOptions } from './options.js'
import { epochMs, type People, type PersonId } from './people.js'
import type { Requests } from './requests.js'

const dayMs = 24 * 60 * 60 * 1000

export interface Workplace {
  readonly options: ClusterOptions
  readonly schedule: Schedule
  readonly requests: Requests
  readonly history: ClusterHistory
  readonly people: People
  readonly clusterId: string
}

export class PersonAtWork {
  isOver = false
  private readonly name: string
  private readonly place: Workplace
  private readonly random: SeededRandom
  private changes = 0

  constructor(name: string, place: Workplace, random: SeededRandom) {
    this.name = name
    this.place = place
    this.random = random
  }

  async work(): Promise<void> {
    const { options, requests } = this.place
    while (!this.isOver) {
      await requests.sleep(1 + this.random.between(0, 2 * options.thinkMs))
      if (this.random.chance(0.4)) await this.read(this.path())
      else await this.change(this.path())
    }
  }

  /** Resolves true when the change went live, as far as this client knows. */
  async change(path: string): Promise<boolean> {
    const { history, schedule } = this.place
    const [author, first, second] = this.random.chance(0.5)
      ? (['alice', 'bob', 'carol'] as const)
      : (['carol', 'alice', 'bob'] as const)
    const modRevision = await this.revisionOf(path)
    if (modRevision === null) return false
    const value = this.nextValue()
    const changeId = this.changeId()
    const proposal = this.proposal(author, changeId, path, value, modRevision)
    const proposed = await this.submit(proposal)
    if (proposed?.kind !== 'accepted') return false
    if (this.random.chance(0.1)) return this.withdraw(author, changeId)
    if (this.random.chance(0.2)) await this.submitDecision(author, changeId, 'approve')
    const write = history.beginWrite({
      client: this.name,
      path,
      value,
      startMs: schedule.nowMs,
    })
    if (this.random.chance(0.3)) {
      // Both at once: either may be the one that activates.
      const results = await Promise.all([
        this.submitDecision(first, changeId, 'approve'),
        this.submitDecision(second, changeId, 'approve'),
      ])
      return results.map((result) => this.heard(write, result)).includes(true)
    }
    if (this.heard(write, await this.submitDecision(first, changeId, 'approve'))) return true
    if (this.random.chance(0.1)) await this.submitDecision(first, changeId, 'revoke')
    return this.heard(write, await this.submitDecision(second, changeId, 'approve'))
  }

  /** Proposes these ops and approves them by two others; true when they went live. */
  async agree(ops: readonly ProposedOp[], base: readonly PathRevision[]): Promise<boolean> {
    const changeId = this.changeId()
    const composed = composePropose({
      ...this.signatory('alice'),
      changeId,
      title: 'Change the nodes',
      ops,
      base,
    })
    const proposed = await this.submit(sign(composed, this.signer('alice')))
    if (proposed?.kind !== 'accepted') return false
    await this.submitDecision('bob', changeId, 'approve')
    const result = await this.submitDecision('carol', changeId, 'approve')
    return result?.kind === 'accepted' && result.activatedAt !== undefined
  }

  async read(path: string): Promise<void> {
    const { requests, history, schedule } = this.place
    const startMs = schedule.nowMs
    const begunAt = history.begin(path)
    const consistency =
      this.place.options.mutant === 'reads are answered from the local state'
        ? 'local'
        : 'linearizable'
    const answer = await requests.call((node) => node.read(consistency, (reads) => reads.get(path)))
    if (answer === null) return
    const { value: entry, revision } = answer
    const value = entry?.content.kind === 'value' ? entry.content.value : null
    const index = entry?.modRevision ?? 0
    if (index > revision || (value !== null && typeof value !== 'number')) {
      throw new OracleViolation('an answer is not newer than its revision', { index, revision })
    }
    const endMs = schedule.nowMs
    history.answerRead({ client: this.name, path, begunAt, index, value, startMs, endMs })
  }

  private heard(write: OpenWrite, result: CommandResult | null): boolean {
    if (result?.kind !== 'accepted' || result.activatedAt === undefined) return false
    this.place.history.activated(write, result.activatedAt, this.place.schedule.nowMs)
    return true
  }

  private async withdraw(author: PersonId, changeId: string): Promise<boolean> {
    const change = await this.view(changeId, author)
    if (change === null) return false
    const composed = composeAction({ ...this.signatory(author), action: 'withdraw', change })
    await this.submit(sign(composed, this.signer(author)))
    return false
  }

  private async submitDecision(
    person: PersonId,
    changeId: string,
    decision: 'approve' | 'revoke',
  ): Promise<CommandResult | null> {
    const change = await this.view(changeId, person)
    if (change === null) return null
    const composed = composeDecision({ ...this.signatory(person), decision, change })
    return this.submit(sign(composed, this.signer(person)))
  }

  private async submit(message: SignedMessage): Promise<CommandResult | null> {
    const { options, requests } = this.place
    if (this.random.chance(options.forgedChance)) {
      const forged = await requests.submit(spoilt(message))
      if (forged?.kind === 'accepted') {
        throw new OracleViolation('a spoilt signature is never accepted', { client: this.name })
      }
    }
    const result = await requests.submit(message)
    if (result !== null && this.random.chance(options.repeatChance)) {
      const again = await requests.submit(message)
      if (again !== null && !isSameAnswer(result, again)) {
        throw new OracleViolation('the same bytes have one result', { result, again })
      }
    }
    return result
  }

  private proposal(
    author: PersonId,
    changeId: string,
    path: string,
    value: number,
    modRevision: number,
  ): SignedMessage {
    const composed = composePropose({
      ...this.signatory(author),
      changeId,
      title: `Set ${path}`,
      ops: [{ action: 'put', path, value }],
      base: [{ path, modRevision }],
    })
    return sign(composed, this.signer(author))
  }

  private async view(changeId: string, asker: PersonId): Promise<ChangeView | null> {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const answer = await this.place.requests.call((node) =>
        node.read('linearizable', (reads) => reads.change(changeId, asker)),
      )
      if (answer?.value !== undefined) return answer.value
      if (answer !== null) {
        throw new OracleViolation('an accepted change is there for every later read', { changeId })
      }
      await this.place.requests.sleep(this.random.between(20, 400))
    }
    return null
  }

  private async revisionOf(path: string): Promise<number | null> {
    const answer = await this.place.requests.call((node) =>
      node.read('local', (reads) => reads.get(path)?.modRevision ?? 0),
    )
    return answer?.value ?? null
  }

  private signatory(person: PersonId): {
    readonly clusterId: string
    readonly person: string
    readonly keyId: string
    readonly notAfter: number
  } {
    const { clusterId, schedule } = this.place
    // Signed again it must be another message, so the life is not the same to the millisecond.
    const notAfter = Math.floor(epochMs + schedule.nowMs + 20 * dayMs + this.random.int(0, 1e6))
    return { clusterId, person, keyId: this.signer(person).keyId, notAfter }
  }

  private signer(person: PersonId) {
    const signer = this.place.people.signers.get(person)
    if (signer === undefined) throw new Error(`${person} has no key`)
    return signer
  }

  private path(): string {
    return `/prod/k${String(this.random.int(1, this.place.options.keys))}`
  }

  /** Unique over the run: who reads it knows which write it saw. */
  private nextValue(): number {
    this.changes += 1
    return Number(this.name) * 100_000 + this.changes
  }

  private changeId(): string {
    const part = (): string => this.random.int(0, 0xffff_ffff).toString(16).padStart(8, '0')
    return part() + part() + part() + part()
  }
}

function spoilt(message: SignedMessage): SignedMessage {
  const signature = Uint8Array.from(message.envelope.signature)
  signature[0] = (signature[0] ?? 0) ^ 1
  return { ...message, envelope: { ...message.envelope, signature } }
}

function isSameAnswer(a: CommandResult, b: CommandResult): boolean {
  // What was refused before the log has no place in it, and may be judged anew.
  if (a.kind !== 'accepted') return b.kind !== 'accepted' || a.index === 0
  return b.kind === 'accepted' && a.index === b.index
}
