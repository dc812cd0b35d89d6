/**
 * Port: snapshots of the replicated state, as files that are complete or absent. A snapshot is
 * written beside, synced, read back against its digest, and renamed into place; only then may the
 * log be cut behind it.
 */
import type { SnapshotMeta } from '../raft/index.js'

/** What stands in the head of a snapshot. */
export interface SnapshotHead extends SnapshotMeta {
  /** 32 bytes hex: a snapshot of another cluster is refused. */
  readonly clusterId: string
  /** Chain value of the Raft log at `index`, hex: where the log of the installer goes on. */
  readonly chain: string
  /** State digest at `index`, hex. */
  readonly stateDigest: string
}

export interface SnapshotInfo extends SnapshotHead {
  /** Bytes of the whole file. */
  readonly size: number
  /** SHA-256 over the digests of all blocks of the file (snapshot-file.ts), hex. */
  readonly digest: string
}

/** Do these records make the state whose digest the snapshot names? */
export type StateCheck = (
  info: SnapshotInfo,
  records: AsyncIterable<readonly (readonly [key: string, value: Uint8Array])[]>,
) => Promise<boolean>

/** Takes in a peer's snapshot: its bytes in order, cut anywhere. */
export interface SnapshotReceiver {
  /** Bytes of whole blocks that are stored and sound; an interrupted transfer goes on from here. */
  readonly storedBytes: number
  /**
   * Throws FETCHED_DAMAGED when a block does not fit its digest: nothing of it is kept, and the
   * transfer may go on at `storedBytes`, from another peer too.
   */
  write(part: Uint8Array): Promise<void>
  /**
   * Syncs, verifies everything against `info`, asks `isState`, renames into place. Throws
   * FETCHED_DAMAGED when it is not whole, another one, or not the state that it names; what was
   * received is dropped then.
   */
  finish(isState?: StateCheck): Promise<SnapshotInfo>
  /** Drops what was received. */
  abort(): Promise<void>
}

export interface SnapshotStore {
  /** The newest complete one, at `atMost` or below when that is given; null when there is none. */
  latest(atMost?: number): SnapshotInfo | null
  /** Records in code-unit order of their keys. What they throw comes out as it is. */
  save(
    head: SnapshotHead,
    records: AsyncIterable<readonly [key: string, value: Uint8Array]>,
  ): Promise<SnapshotInfo>
  /** Bytes of the file at this index, for a peer; null when it is gone. */
  read(index: number, offset: number, length: number): Promise<Uint8Array | null>
  info(index: number): SnapshotInfo | null
  /** Every record, in portions, each verified before it is handed out. Throws STORE_DAMAGED. */
  records(index: number): AsyncIterable<readonly (readonly [key: string, value: Uint8Array])[]>
  /** One at a time: the same snapshot asked for again goes on, another one drops the first. */
  receive(info: SnapshotInfo): Promise<SnapshotReceiver>
  /** Removes those below `index`; one that a peer has read from lately stays for a while. */
  removeBelow(index: number): Promise<void>
  close(): Promise<void>
}
