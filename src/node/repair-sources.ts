/** What the repair of a data directory asks of the other nodes (storage/repair.ts), over the peers. */
import { CountersignError } from '../errors.js'
import type { Configuration, Entry, LogIndex, NodeId } from '../raft/index.js'
import type { RepairSources, SnapshotInfo, SnapshotStore } from '../storage/index.js'
import type { FetchAnswer, Wanted } from '../wire/index.js'
import type { Peers } from './ports.js'
import { holdsItsState } from './snapshot-content.js'

export interface RepairPeers {
  readonly peers: Pick<Peers, 'fetch'>
  readonly nodeId: NodeId
  /** The other members. */
  readonly others: readonly NodeId[]
  /**
   * Whose majority could have committed an entry at this index: the configuration that the sound log
   * before it puts in force. Null when that is not known.
   */
  readonly configurationBefore: (index: LogIndex) => Configuration | null
  readonly clusterId: string
  /** A peer could not help; it is asked again in the next round. */
  readonly noHelp: (peer: NodeId, why: CountersignError) => void
}

export function createRepairSources(options: RepairPeers): RepairSources {
  const { peers, nodeId, others, configurationBefore, clusterId, noHelp } = options

  /** Null when the peer cannot be asked now. */
  async function ask<T>(peer: NodeId, question: () => Promise<T>): Promise<T | null> {
    try {
      return await question()
    } catch (thrown) {
      const why = CountersignError.from(thrown)
      if (isOfThisDisk(why)) throw why
      noHelp(peer, why)
      return null
    }
  }

  return {
    async *entries(from, to) {
      for (const peer of others) {
        const found = await ask(peer, () =>
          entriesOf(peers.fetch(peer, { kind: 'entries', from, to }), from, to),
        )
        if (found !== null && found.length > 0) yield found
      }
    },
    async snapshot(minIndex, into) {
      for (const peer of others) {
        const wanted: Wanted = { kind: 'snapshot', index: 0, offset: 0 }
        const received = await ask(peer, () =>
          receive(peers.fetch(peer, wanted), { minIndex, clusterId, into }),
        )
        if (received !== null) return received
      }
      return null
    },
    async neverHeld(index, term) {
      const configuration = configurationBefore(index)
      if (configuration === null) return false
      const never = new Set<NodeId>()
      for (const peer of others) {
        const answer = await ask(peer, () =>
          holdingOf(peers.fetch(peer, { kind: 'holding', index, term })),
        )
        if (answer === 'held') return false
        if (answer === 'never') never.add(peer)
      }
      const { voters, outgoing } = configuration
      // A majority alone is not enough: the one that does not answer may lead, count what this node
      // acknowledged before, and commit the entry with one more of those who have not held it yet.
      const silent = [...voters, ...outgoing].filter((id) => id !== nodeId && !never.has(id))
      return (
        silent.length === 0 &&
        isMajority(never, voters) &&
        (outgoing.length === 0 || isMajority(never, outgoing))
      )
    },
  }
}

function isMajority(nodes: ReadonlySet<NodeId>, voters: readonly NodeId[]): boolean {
  return voters.filter((id) => nodes.has(id)).length > voters.length / 2
}

/** In order and within the range: a peer that goes on and on is not listened to. */
async function entriesOf(
  answers: AsyncIterable<FetchAnswer>,
  from: LogIndex,
  to: LogIndex,
): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for await (const answer of answers) {
    if (answer.kind !== 'entry') break
    const { entry } = answer
    if (entry.index < from || entry.index > to || entry.index <= (entries.at(-1)?.index ?? 0)) break
    entries.push(entry)
  }
  return entries
}

async function holdingOf(answers: AsyncIterable<FetchAnswer>): Promise<string> {
  for await (const answer of answers) if (answer.kind === 'holding') return answer.holding
  return 'unknown'
}

/** Null when what the peer has is too old, or of another cluster. */
async function receive(
  answers: AsyncIterable<FetchAnswer>,
  wanted: { readonly minIndex: number; readonly clusterId: string; readonly into: SnapshotStore },
): Promise<SnapshotInfo | null> {
  let receiver: Awaited<ReturnType<SnapshotStore['receive']>> | null = null
  for await (const answer of answers) {
    if (answer.kind === 'snapshot') {
      const { snapshot } = answer
      // Told a second time in the same answer: nothing that an honest peer does.
      if (receiver !== null) return null
      if (snapshot.index < wanted.minIndex || snapshot.clusterId !== wanted.clusterId) return null
      receiver = await wanted.into.receive(snapshot)
      // What an earlier try left is of no use here: the file comes from its beginning.
      if (receiver.storedBytes > 0) {
        await receiver.abort()
        receiver = await wanted.into.receive(snapshot)
      }
    } else if (answer.kind === 'part') {
      await receiver?.write(answer.part)
    }
  }
  return receiver === null ? null : receiver.finish(holdsItsState)
}

function isOfThisDisk({ code }: CountersignError): boolean {
  return code === 'STORE_FAILED' || code === 'DISK_FULL'
}
