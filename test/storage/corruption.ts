/**
 * Every kind of file of a data directory, hurt in eight ways: the damage is found and reported with
 * its file, or it was none. What is repaired from a peer is whole again, with the same term and
 * vote. Never a start on less, never on something else.
 */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError } from '../../src/errors.js'
import {
  examineStores,
  repairStores,
  type OpenedStores,
  type RepairSources,
} from '../../src/storage/index.js'
import {
  closeAll,
  copyOf,
  cutTo,
  fileIn,
  flipBit,
  foundCompacted,
  identity,
  openAt,
  reserveBytes,
  sizeOf,
  writtenEntries,
  zero,
} from './data.js'
import { healthyPeer } from './healthy-peer.js'

export type Outcome = 'whole' | 'repaired' | 'refused'

export interface Seen {
  readonly outcome: Outcome
  /** What was not as it must be; each a sentence. */
  readonly wrong: readonly string[]
}

type Hurt = (path: string, relative: string, older: string) => Promise<void>

export const hurts: Readonly<Record<string, Hurt>> = {
  'a bit at the beginning': (path) => flipBit(path, 5),
  'a bit in the middle': async (path) => flipBit(path, (await sizeOf(path)) / 2),
  'a bit near the end': async (path) => flipBit(path, (await sizeOf(path)) - 20),
  'zeroed 4 KiB': async (path) => {
    const size = await sizeOf(path)
    const from = Math.max(0, Math.floor(size / 2) - 2048)
    await zero(path, from, Math.min(4096, size - from))
  },
  'cut in half': (path) => cutTo(path, 0.5),
  empty: (path) => cutTo(path, 0),
  missing: (path) => rm(path),
  'older copy': async (path, relative, older) => {
    await cp(join(older, relative), path, { force: true }).catch(() => undefined)
  },
}

export interface Kind {
  readonly name: string
  readonly find: (directory: string) => Promise<string>
  /** The first is what most damage of this kind comes to. */
  readonly allowed: readonly Outcome[]
}

function inStore(
  name: string,
  at: readonly [store: string, pattern: RegExp],
  allowed: readonly Outcome[],
): Kind {
  return { name, allowed, find: (directory) => fileIn(directory, ...at) }
}

function inFolder(name: string, allowed: readonly Outcome[]): Kind {
  return { name, allowed, find: (directory) => Promise.resolve(join(directory, name)) }
}

export const kinds: readonly Kind[] = [
  inStore('log of the Raft store', ['raft', /\.log$/], ['repaired', 'whole']),
  inStore('table of the Raft store', ['raft', /\.ldb$/], ['repaired', 'whole']),
  inStore('MANIFEST of the Raft store', ['raft', /^MANIFEST/], ['repaired', 'whole']),
  inStore('CURRENT of the Raft store', ['raft', /^CURRENT$/], ['repaired', 'whole']),
  inStore('snapshot', ['snapshots', /\.snapshot$/], ['repaired', 'whole']),
  inFolder('guard', ['refused', 'whole']),
  inFolder('identity', ['refused', 'whole']),
  inStore('log of the state store', ['state', /\.log$/], ['whole']),
  inStore('table of the state store', ['state', /\.ldb$/], ['whole']),
  inStore('MANIFEST of the state store', ['state', /^MANIFEST/], ['whole']),
  inStore('CURRENT of the state store', ['state', /^CURRENT$/], ['whole']),
  // It holds nothing: it is only made again, whatever is in it.
  inFolder('reserve', ['whole']),
]

/** One directory to hurt copies of, and a sound peer. */
export class Original {
  readonly directory: string
  readonly older: string
  readonly sources: RepairSources
  readonly #peer: OpenedStores

  private constructor(directory: string, older: string, peer: OpenedStores) {
    this.directory = directory
    this.older = older
    this.#peer = peer
    const { snapshots } = peer
    this.sources = healthyPeer({ entries: writtenEntries, firstKept: 51, snapshots })
  }

  static async found(folder: string): Promise<Original> {
    const directory = join(folder, 'original')
    const older = join(folder, 'older')
    await foundCompacted(directory, older)
    return new Original(directory, older, await openAt(await copyOf(directory, 'peer')))
  }

  close(): Promise<void> {
    return closeAll(this.#peer)
  }

  async afterHurting(kind: Kind, hurt: Hurt): Promise<Seen> {
    const directory = await copyOf(this.directory, 'hurt')
    try {
      const path = await kind.find(directory)
      await hurt(path, path.slice(directory.length + 1), this.older)
      const seen = await this.started(directory, path)
      if (kind.allowed.includes(seen.outcome)) return seen
      return { ...seen, wrong: [...seen.wrong, `the outcome is ${seen.outcome}`] }
    } finally {
      await rm(directory, { recursive: true })
    }
  }

  /** Starts on a hurt directory, with a repair when it asks for one. */
  async started(
    directory: string,
    hurtFile: string,
    sources: RepairSources = this.sources,
  ): Promise<Seen> {
    try {
      const examined = await examineStores({ directory, identity, reserveBytes })
      if (examined.kind === 'sound') {
        return { outcome: 'whole', wrong: await this.#wrongIn(examined.stores) }
      }
      const { damages, snapshots } = examined.report
      const store = hurtFile.slice(0, directory.length + 5)
      const said = damages.map(({ file, key, problem }) => `${file} ${key} ${problem}`).join('; ')
      const named = damages.some(({ file }) => file.startsWith(store))
      const repaired = await repairStores(examined.report, sources)
      await snapshots.close()
      if (repaired.kind !== 'repaired') return { outcome: 'refused', wrong: ['it waits'] }
      const wrong = await this.#wrongIn(await openAt(directory))
      const unnamed = named ? [] : [`the file is not named: ${said}`]
      return { outcome: 'repaired', wrong: [...unnamed, ...wrong] }
    } catch (thrown) {
      if (!(thrown instanceof CountersignError)) throw thrown
      const isKnown = thrown.code === 'STORE_DAMAGED' || thrown.code === 'GUARD_LOST'
      const isNamed = thrown.details['file'] === hurtFile
      return { outcome: 'refused', wrong: isKnown && isNamed ? [] : [thrown.message] }
    }
  }

  async #wrongIn(stores: OpenedStores): Promise<readonly string[]> {
    const { recovered, snapshots } = stores
    const { anchor, entries, hardState } = recovered
    const snapshot = snapshots.latest()
    const isState = await holdsWhatItApplied(stores)
    await closeAll(stores)
    const checks: readonly (readonly [sentence: string, holds: boolean])[] = [
      ['the term is another', hardState.term === 3],
      ['the vote is another', hardState.votedFor === 'node-2'],
      ['the end is another', entries.at(-1)?.index === 120],
      ['the log has a hole at its beginning', anchor.index + 1 === entries[0]?.index],
      ['the snapshot is another', snapshot?.digest === this.#peer.snapshots.latest()?.digest],
      ['no snapshot stands behind the anchor', anchor.index <= (snapshot?.index ?? 0)],
      [
        'an entry is not the one that was written',
        entries.every(({ index, payload }) =>
          Buffer.from(payload).equals(writtenEntries[index - 1]?.payload ?? Buffer.alloc(0)),
        ),
      ],
      ['the state is not that of its index', isState],
    ]
    return checks.filter(([, holds]) => !holds).map(([sentence]) => sentence)
  }
}

/** The state store may be older, or empty: it is built again. What it must not do is mix. */
async function holdsWhatItApplied({ stateStore }: OpenedStores): Promise<boolean> {
  const applied = await stateStore.readApplied()
  const values: string[] = []
  for await (const [, value] of stateStore.readAll()) values.push(Buffer.from(value).toString())
  const written = new Map([
    [60, '0'],
    [80, '1'],
  ])
  return values.join() === (applied === null ? '' : written.get(applied.index))
}
