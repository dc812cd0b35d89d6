/**
 * Safety across nodes, seen by an observer who sees everything: election safety, log matching,
 * leader completeness, state machine safety (Raft paper, figure 3), committed means durable on a
 * majority, and one vote a term in a node's whole life, restarts included.
 */
import {
  decodeConfiguration,
  type Configuration,
  type Entry,
  type Message,
  type NodeId,
  type RaftFacts,
} from '../../src/raft/index.js'
import { isQuorum, type LogView } from './log-view.js'

/** What an observer knows of a disk. */
export interface ObservedDisk {
  /** Is this entry on the disk for certain, itself or behind a snapshot? */
  holds(entry: Entry): boolean
}

/** The level above: what its entries say, and that one of them is committed now. */
export interface EntryReader {
  describe(entry: Entry): string
  committed(entry: Entry): void
}

export class OracleViolation extends Error {
  override readonly name = 'OracleViolation'
  readonly facts: Readonly<Record<string, unknown>>

  constructor(sentence: string, facts: Readonly<Record<string, unknown>>) {
    super(`${sentence} ${JSON.stringify(facts)}`)
    this.facts = facts
  }
}

function hold(
  condition: boolean,
  sentence: string,
  facts: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new OracleViolation(sentence, facts)
}

interface Committed {
  readonly entry: Entry
  /** Term of the node that was seen to commit it first. */
  readonly inTerm: number
}

export class Oracles {
  private readonly leaders = new Map<number, NodeId>()
  private readonly votes = new Map<string, NodeId>()
  /** `index/term` to what stands there and the term before it. */
  private readonly known = new Map<string, { readonly value: string; readonly before: number }>()
  readonly committed: Committed[] = []
  /** By index, of entries that were sent to anybody: some may still be on their way. */
  private readonly sentConfigurations = new Map<number, readonly Configuration[]>()
  private readonly disks: ReadonlyMap<NodeId, ObservedDisk>
  private readonly reader: EntryReader

  constructor(disks: ReadonlyMap<NodeId, ObservedDisk>, reader: EntryReader) {
    this.disks = disks
    this.reader = reader
  }

  /** Terms that had a leader. */
  get leadersSeen(): number {
    return this.leaders.size
  }

  /**
   * Configurations that were sent and are not committed. A node may take one over that its sender
   * has lost meanwhile: who asks whether a majority is there must count with all of them.
   */
  uncommittedConfigurations(): readonly Configuration[] {
    for (const index of this.sentConfigurations.keys()) {
      if (index <= this.committed.length) this.sentConfigurations.delete(index)
    }
    return [...this.sentConfigurations.values()].flat()
  }

  sent(message: Message): void {
    if (message.kind === 'append') this.noteConfigurations(message.entries)
    if (message.kind === 'voteReply' && message.granted) {
      this.vote(message.from, message.term, message.to)
    }
    if (message.kind === 'vote') this.vote(message.from, message.term, message.from)
  }

  /** Log matching: one index and term is one entry with one predecessor, on whatever node. */
  appended(node: NodeId, entry: Entry, termBefore: number): void {
    const place = `${String(entry.index)}/${String(entry.term)}`
    const value = this.reader.describe(entry)
    const known = this.known.get(place)
    if (known === undefined) this.known.set(place, { value, before: termBefore })
    else {
      hold(known.value === value && known.before === termBefore, 'log matching', {
        node,
        place,
        value,
        termBefore,
        known,
      })
    }
  }

  /** After each drain of a node: `log` is all that it has in memory. */
  observe(node: NodeId, before: RaftFacts, after: RaftFacts, log: LogView): void {
    if (after.role === 'leader') this.leads(node, before, after, log)
    // A drain may commit by one configuration and append the next: either gave the majority.
    const inForce = [before.configuration, after.committedConfiguration, after.configuration]
    const first = Math.max(before.commitIndex, log.anchorIndex) + 1
    for (let index = first; index <= after.commitIndex; index += 1) {
      this.commits(node, after.term, log.at(index), inForce)
    }
  }

  applied(node: NodeId, entry: Entry): void {
    const known = this.committed[entry.index - 1]?.entry
    hold(
      known !== undefined && this.isSame(known, entry),
      'state machine safety: only what is committed is applied',
      { node, index: entry.index, term: entry.term, knownTerm: known?.term },
    )
  }

  private noteConfigurations(entries: readonly Entry[]): void {
    for (const { kind, index, payload } of entries) {
      if (kind !== 'configuration' || index <= this.committed.length) continue
      const configuration = decodeConfiguration(payload)
      if (configuration === null) continue
      const noted = this.sentConfigurations.get(index) ?? []
      this.sentConfigurations.set(index, [...noted, configuration])
    }
  }

  private vote(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${voter}@${String(term)}`
    const known = this.votes.get(key)
    hold(known === undefined || known === candidate, 'a node votes once in a term', {
      voter,
      term,
      candidate,
      known,
    })
    this.votes.set(key, candidate)
  }

  private isSame(a: Entry, b: Entry): boolean {
    return a.term === b.term && this.reader.describe(a) === this.reader.describe(b)
  }

  private leads(node: NodeId, before: RaftFacts, after: RaftFacts, log: LogView): void {
    const known = this.leaders.get(after.term)
    hold(known === undefined || known === node, 'election safety: one leader a term', {
      term: after.term,
      node,
      known,
    })
    this.leaders.set(after.term, node)
    if (before.role === 'leader' && before.term === after.term) return
    // A leader elected late, in a term that is over, need not know what a later term committed.
    const last = this.committed.findLast((committed) => committed.inTerm < after.term)
    if (last === undefined || last.entry.index <= log.anchorIndex) return
    hold(
      log.at(last.entry.index)?.term === last.entry.term,
      'leader completeness: a leader has every entry that was committed before its term',
      { node, term: after.term, index: last.entry.index, entryTerm: last.entry.term },
    )
  }

  private commits(
    node: NodeId,
    inTerm: number,
    entry: Entry | undefined,
    inForce: readonly Configuration[],
  ): void {
    hold(entry !== undefined, 'what is committed is in the log', { node, inTerm })
    const known = this.committed[entry.index - 1]
    if (known !== undefined) {
      hold(this.isSame(known.entry, entry), 'committed entries agree on all nodes', {
        node,
        index: entry.index,
        term: entry.term,
        knownTerm: known.entry.term,
      })
      return
    }
    const holds = (id: NodeId): boolean => this.disks.get(id)?.holds(entry) === true
    hold(
      inForce.some((configuration) => isQuorum(configuration, holds)),
      'what is committed is durable on a majority',
      { node, index: entry.index, inForce, durable: [...this.disks.keys()].filter(holds) },
    )
    this.committed.push({ entry, inTerm })
    this.reader.committed(entry)
  }
}
