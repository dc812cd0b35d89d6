/** One core whose peers are played by the test. */
import {
  InvariantChecker,
  Raft,
  logIndex,
  term,
  type Event,
  type LogIndex,
  type Message,
  type Output,
  type RaftOptions,
} from '../../src/raft/index.js'
import { bytes, electionTicksMax, optionsOf } from './group.js'

export type Loose<M> = M extends Message ? Omit<M, 'to' | 'term'> & { term: number } : never

export type LoneOptions = Partial<RaftOptions> & { readonly voters?: readonly string[] }

export class LoneNode {
  readonly raft: Raft
  private readonly options: RaftOptions
  private readonly checker = new InvariantChecker()
  private lastToken = 0

  constructor({ voters = ['a', 'b', 'c'], ...change }: LoneOptions = {}) {
    this.options = { ...optionsOf('a', voters), ...change }
    this.raft = new Raft(this.options)
  }

  get status() {
    return this.raft.status()
  }

  get limits(): RaftOptions['limits'] {
    return this.options.limits
  }

  /** Steps without taking what comes of it. */
  step(...events: Event[]): void {
    for (const event of events) {
      this.raft.step(event)
      this.checker.check(this.raft.facts())
    }
  }

  /** Steps a message of a peer, `to` filled in. */
  hear(message: Loose<Message>): void {
    this.step({ kind: 'receive', message: { ...message, to: 'a' } as Message })
  }

  ticks(ticks: number): void {
    this.step({ kind: 'tick', ticks })
  }

  /** What has come of it, with the disk left to the test. */
  take(): Output {
    const output = this.raft.takeOutput()
    if (output?.persist) this.lastToken = output.persist.token
    return (
      output ?? {
        send: [],
        persist: null,
        restore: null,
        apply: [],
        proposals: [],
        reads: [],
        memberships: [],
        fetchSnapshot: null,
        leadership: null,
        configuration: null,
        trace: [],
      }
    )
  }

  persist(): void {
    this.step({ kind: 'persisted', token: this.lastToken })
  }

  /** Everything that leaves when the disk writes at once, in order. */
  out(): Message[] {
    const messages: Message[] = []
    for (;;) {
      const output = this.raft.takeOutput()
      if (output === null) return messages
      messages.push(...output.send)
      const last = output.apply.at(-1)
      if (last !== undefined) this.step({ kind: 'applied', index: last.index })
      if (output.persist !== null) {
        this.step({ kind: 'persisted', token: output.persist.token })
        messages.push(...output.persist.thenSend)
      }
    }
  }

  /** Runs into the pre-vote. */
  timeOut(): void {
    this.ticks(electionTicksMax)
  }

  becomeCandidate(): void {
    this.timeOut()
    this.out()
    const next = this.status.term + 1
    for (const peer of this.status.voters) {
      if (peer !== 'a' && this.status.role === 'preCandidate') {
        this.hear({ kind: 'preVoteReply', from: peer, term: next, granted: true })
      }
    }
  }

  becomeLeader(): void {
    this.becomeCandidate()
    this.out()
    for (const peer of this.status.voters) {
      if (peer !== 'a' && this.status.role === 'candidate') {
        this.hear({ kind: 'voteReply', from: peer, term: this.status.term, granted: true })
      }
    }
  }

  /** The peer answers the append as a follower that holds it durably. */
  acknowledge(peer: string, index: number, session = this.sessionOf(peer)): void {
    this.hear({
      kind: 'appendReply',
      from: peer,
      term: this.status.term,
      session,
      result: { kind: 'matched', matchIndex: logIndex(index) },
    })
  }

  /** Sessions count up from 1 in the order of the peers, and begin again with each leadership. */
  sessionOf(peer: string): number {
    const session = this.sessions.get(peer)
    if (session === undefined) throw new Error(`nothing was sent to ${peer}`)
    return session
  }

  readonly sessions = new Map<string, number>()

  /** `out`, and remembers the sessions that messages carry. */
  outWithSessions(): Message[] {
    const messages = this.out()
    for (const message of messages) {
      const { kind } = message
      if (kind === 'append' || kind === 'heartbeat' || kind === 'snapshotOffer') {
        this.sessions.set(message.to, message.session)
      }
    }
    return messages
  }
}

export function hardStateOf(
  currentTerm: number,
  votedFor: string | null = null,
  commit = 0,
): RaftOptions['hardState'] {
  return { term: term(currentTerm), votedFor, commit: logIndex(commit) }
}

export function only<K extends Message['kind']>(
  messages: readonly Message[],
  kind: K,
): Extract<Message, { kind: K }>[] {
  return messages.filter(
    (message): message is Extract<Message, { kind: K }> => message.kind === kind,
  )
}

export const at = (index: number): LogIndex => logIndex(index)

/** A leader whose no-op is committed and applied. */
export function steadyLeader(change: LoneOptions = {}): LoneNode {
  const node = new LoneNode(change)
  node.becomeLeader()
  node.outWithSessions()
  for (const peer of node.status.voters) {
    if (peer !== 'a') node.acknowledge(peer, node.status.lastIndex)
  }
  node.outWithSessions()
  return node
}

/** An append of commands after `prev`; each payload says its index and term. */
export function append(
  from: string,
  inTerm: number,
  prev: readonly [index: number, term: number],
  terms: readonly number[] = [],
  commit = 0,
) {
  return {
    kind: 'append',
    from,
    term: inTerm,
    session: 1,
    prevIndex: at(prev[0]),
    prevTerm: term(prev[1]),
    entries: terms.map((value, offset) => ({
      index: logIndex(prev[0] + 1 + offset),
      term: term(value),
      kind: 'command' as const,
      payload: bytes(`${String(prev[0] + 1 + offset)}/${String(value)}`),
    })),
    commit: at(commit),
  } as const
}
