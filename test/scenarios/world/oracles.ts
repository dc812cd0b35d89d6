/**
 * Safety across nodes, seen by an observer who sees everything (Raft paper, figure 3): election
 * safety, one vote a term in a node's whole life, log matching, leader completeness, state machine
 * safety, committed means durable on a majority, and no read that misses what was committed.
 */
import {
  logIndex,
  type Configuration,
  type Entry,
  type LogIndex,
  type Message,
  type NodeId,
  type RaftFacts,
} from '../../../src/raft/index.js'
import { majorityOf } from '../../../src/raft/quorum.js'
import type { StoredLog } from './stored-log.js'

export class OracleViolation extends Error {
  override readonly name = 'OracleViolation'

  constructor(sentence: string, facts: Readonly<Record<string, unknown>>) {
    super(`${sentence} ${JSON.stringify(facts)}`)
  }
}

interface Committed {
  readonly entry: Entry
  /** Term of the node that was seen to commit it first. */
  readonly inTerm: number
}

/** What the oracle must know of one node at the moment when it looks at it. */
export interface Observed {
  readonly id: NodeId
  readonly before: RaftFacts
  readonly after: RaftFacts
  /** All that the node has in memory. */
  readonly log: StoredLog
  readonly configuration: Configuration
}

export class Oracles {
  private readonly leaders = new Map<number, NodeId>()
  private readonly votes = new Map<string, NodeId>()
  /** `index/term` to what stands there and the term before it. */
  private readonly known = new Map<string, { readonly value: string; readonly before: number }>()
  /** By index, from 1; a hole where a scenario begins with a committed past. */
  private readonly committed = new Map<number, Committed>()
  private committedMax: LogIndex = logIndex(0)
  private readonly disks: () => ReadonlyMap<NodeId, StoredLog>
  /** Nodes without a core: what they hold is the scenario's word. */
  private readonly played: ReadonlySet<NodeId>

  constructor(disks: () => ReadonlyMap<NodeId, StoredLog>, played: ReadonlySet<NodeId>) {
    this.disks = disks
    this.played = played
  }

  /** The greatest index that any node knew to be committed so far. */
  get commitMax(): LogIndex {
    return this.committedMax
  }

  committedAt(index: LogIndex): Entry | null {
    return this.committed.get(index)?.entry ?? null
  }

  sent(message: Message): void {
    if (message.kind === 'voteReply' && message.granted) {
      this.voted(message.from, message.term, message.to)
    }
    if (message.kind === 'vote') this.voted(message.from, message.term, message.from)
  }

  /** Log matching: one index and term is one entry with one predecessor, on whatever node. */
  appended(node: NodeId, entry: Entry, termBefore: number): void {
    const place = `${String(entry.index)}/${String(entry.term)}`
    const value = valueOf(entry)
    const known = this.known.get(place)
    if (known === undefined) this.known.set(place, { value, before: termBefore })
    else if (known.value !== value || known.before !== termBefore) {
      throw new OracleViolation('log matching', { node, place, value, termBefore, known })
    }
  }

  /** What a scenario starts with is committed already. */
  founded(entry: Entry): void {
    this.committed.set(entry.index, { entry, inTerm: entry.term })
    this.committedMax = logIndex(Math.max(this.committedMax, entry.index))
  }

  observe(node: Observed): void {
    if (node.after.role === 'leader') this.leads(node)
    for (let index = node.before.commitIndex + 1; index <= node.after.commitIndex; index += 1) {
      // An installed snapshot moves the commit index past entries that the node never sees.
      if (index > node.log.anchor.index) this.commits(node, index)
    }
  }

  applied(node: NodeId, entry: Entry): void {
    const known = this.committed.get(entry.index)?.entry
    if (known?.term === entry.term && valueOf(known) === valueOf(entry)) return
    throw new OracleViolation('state machine safety: only what is committed is applied', {
      node,
      index: entry.index,
      term: entry.term,
      knownTerm: known?.term,
    })
  }

  /** `since`: what was committed anywhere when the read came in. */
  answered(node: NodeId, read: string, index: LogIndex, since: LogIndex): void {
    if (index >= since) return
    throw new OracleViolation('linearizability: a read misses what was committed before it', {
      node,
      read,
      index,
      since,
    })
  }

  private voted(voter: NodeId, inTerm: number, candidate: NodeId): void {
    const key = `${voter}@${String(inTerm)}`
    const known = this.votes.get(key)
    if (known !== undefined && known !== candidate) {
      throw new OracleViolation('a node votes once in a term', { voter, inTerm, candidate, known })
    }
    this.votes.set(key, candidate)
  }

  private leads({ id, before, after, log }: Observed): void {
    const known = this.leaders.get(after.term)
    if (known !== undefined && known !== id) {
      throw new OracleViolation('election safety: one leader a term', {
        term: after.term,
        node: id,
        known,
      })
    }
    this.leaders.set(after.term, id)
    if (before.role === 'leader' && before.term === after.term) return
    for (const { entry, inTerm } of this.committed.values()) {
      // A leader elected late, in a term that is over, need not know what a later one committed.
      if (inTerm >= after.term || entry.index <= log.anchor.index) continue
      if (log.termAt(entry.index) !== entry.term) {
        throw new OracleViolation(
          'leader completeness: a leader has every entry that was committed before its term',
          { node: id, term: after.term, index: entry.index, entryTerm: entry.term },
        )
      }
    }
  }

  private commits({ id, after, log, configuration }: Observed, index: number): void {
    const entry = log.entryAt(index)
    if (entry === null) {
      throw new OracleViolation('what is committed is in the log', { node: id, index })
    }
    const known = this.committed.get(index)?.entry
    if (known !== undefined) {
      if (known.term === entry.term && valueOf(known) === valueOf(entry)) return
      throw new OracleViolation('committed entries agree on all nodes', {
        node: id,
        index,
        term: entry.term,
        knownTerm: known.term,
      })
    }
    for (const voters of [configuration.voters, configuration.outgoing]) {
      if (this.isDurable(entry, voters)) continue
      throw new OracleViolation('what is committed is durable on a majority', {
        node: id,
        index,
        voters,
      })
    }
    this.committed.set(index, { entry, inTerm: after.term })
    this.committedMax = logIndex(Math.max(this.committedMax, index))
  }

  private isDurable(entry: Entry, voters: readonly NodeId[]): boolean {
    if (voters.length === 0) return true
    const disks = this.disks()
    const holders = voters.filter((voter) => {
      const log = disks.get(voter)
      if (log === undefined) return this.played.has(voter)
      return entry.index <= log.anchor.index || log.termAt(entry.index) === entry.term
    })
    return holders.length >= majorityOf(voters.length)
  }
}

function valueOf(entry: Entry): string {
  return `${entry.kind} ${new TextDecoder().decode(entry.payload)}`
}
