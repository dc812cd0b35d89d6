/** What a sound peer gives to a repair, in one process. */
import type { Entry } from '../../src/raft/index.js'
import type { RepairSources, SnapshotInfo, SnapshotStore } from '../../src/storage/index.js'

const transferBytes = 1_000_000

/** `firstKept`: what is below it the peer has compacted. */
export function healthyPeer(peer: {
  readonly entries: readonly Entry[]
  readonly firstKept: number
  readonly snapshots: SnapshotStore | null
}): RepairSources {
  const { entries, firstKept, snapshots } = peer
  return {
    async *entries(from, to) {
      await Promise.resolve()
      yield entries.filter(({ index }) => index >= Math.max(from, firstKept) && index <= to)
    },
    snapshot: async (minIndex, into) => {
      const info = snapshots?.latest() ?? null
      if (snapshots === null || info === null || info.index < minIndex) return null
      return transferred(snapshots, info, into)
    },
    neverHeld: () => Promise.resolve(false),
  }
}

async function transferred(
  from: SnapshotStore,
  info: SnapshotInfo,
  into: SnapshotStore,
): Promise<SnapshotInfo> {
  const receiver = await into.receive(info)
  while (receiver.storedBytes < info.size) {
    const part = await from.read(info.index, receiver.storedBytes, transferBytes)
    if (part === null || part.length === 0) break
    await receiver.write(part)
  }
  return receiver.finish()
}

/** Nobody answers. */
export const noPeer: RepairSources = {
  entries: () => none(),
  snapshot: () => Promise.resolve(null),
  neverHeld: () => Promise.resolve(false),
}

async function* none(): AsyncIterable<readonly Entry[]> {
  for (const answer of await Promise.resolve<readonly (readonly Entry[])[]>([])) yield answer
}
