/** Port: what the other nodes can give to a repair (repair.ts). */
import type { Entry, LogIndex, Term } from '../raft/index.js'
import type { SnapshotInfo, SnapshotStore } from './snapshot-store.js'

export interface RepairSources {
  /**
   * Answers of the peers: each what one peer has of the range, in order, with gaps where it is
   * damaged itself. They are asked for one by one until the chain closes.
   */
  entries(from: LogIndex, to: LogIndex): AsyncIterable<readonly Entry[]>
  /**
   * Fetches a snapshot at `minIndex` or above into the store (SnapshotStore.receive); null when no
   * peer has one now.
   */
  snapshot(minIndex: LogIndex, into: SnapshotStore): Promise<SnapshotInfo | null>
  /**
   * True when all other members, and so a majority, say that they never held an entry of this index
   * and term (term null: of this index). One that does not answer may be the leader that counts what
   * this node acknowledged. A node with damage of its own, or with that index compacted, must not
   * say so.
   */
  neverHeld(index: LogIndex, term: Term | null): Promise<boolean>
}
