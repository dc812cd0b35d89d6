/**
 * Takes a peer's snapshot into the own store, as the core asks for it. One at a time; a newer wish
 * takes the place of an older one. What an interrupted fetch has stored is not fetched again. A
 * fetch that fails says nothing to the core: the leader offers again.
 */
import { CountersignError } from '../errors.js'
import type { NodeId, SnapshotMeta } from '../raft/index.js'
import type { SnapshotInfo, SnapshotReceiver, SnapshotStore } from '../storage/index.js'
import type { FetchAnswer } from '../wire/index.js'
import type { FetchProgress, Peers } from './ports.js'
import { holdsItsState } from './snapshot-content.js'
import type { Rare } from './rare-sites.js'

export interface SnapshotWish {
  readonly from: NodeId
  readonly snapshot: SnapshotMeta
}

export interface SnapshotFetcherPorts {
  readonly store: SnapshotStore
  readonly peers: Pick<Peers, 'fetch'>
  readonly clusterId: string
  readonly rare?: Rare
  /** Synced and verified. */
  readonly fetched: (info: SnapshotInfo) => void
  readonly gaveUp: (wish: SnapshotWish, why: CountersignError) => void
  /** This node's own disk failed: the node ends. */
  readonly failed: (thrown: unknown) => void
}

export class SnapshotFetcher {
  readonly #ports: SnapshotFetcherPorts
  #wish: SnapshotWish | null = null
  #progress: FetchProgress | null = null
  #run: Promise<void> | null = null
  #stopped = false

  constructor(ports: SnapshotFetcherPorts) {
    this.#ports = ports
  }

  /** Of the fetch under way; null when there is none. */
  get progress(): FetchProgress | null {
    return this.#progress
  }

  fetch(wish: SnapshotWish): void {
    if (this.#stopped) return
    const isUnderWay =
      this.#wish?.from === wish.from && this.#wish.snapshot.index === wish.snapshot.index
    if (isUnderWay) return
    this.#wish = wish
    this.#run ??= this.#fetchAll()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wish = null
    await this.#run
  }

  async #fetchAll(): Promise<void> {
    let wish = this.#wish
    while (wish !== null) {
      await this.#fetchOne(wish)
      if (this.#wish === wish) this.#wish = null
      wish = this.#wish
    }
    this.#run = null
  }

  async #fetchOne(wish: SnapshotWish): Promise<void> {
    const { store, fetched, gaveUp, failed } = this.#ports
    try {
      const held = store.info(wish.snapshot.index)
      const info = held ?? (await this.#receive(wish))
      if (info !== null) fetched(info)
    } catch (thrown) {
      const error = CountersignError.from(thrown)
      if (isOfThisDisk(error)) failed(error)
      else gaveUp(wish, error)
    } finally {
      this.#progress = null
    }
  }

  /** Null when another wish came in between. */
  async #receive(wish: SnapshotWish): Promise<SnapshotInfo | null> {
    const { store } = this.#ports
    const first = this.#ask(wish, 0)
    const info = checked(await nextAnswer(first), wish, this.#ports.clusterId)
    const receiver = await store.receive(info)
    let answers = first
    if (receiver.storedBytes > 0) {
      await first.return?.()
      answers = this.#ask(wish, receiver.storedBytes)
      checked(await nextAnswer(answers), wish, this.#ports.clusterId)
    }
    return this.#store(wish, info, receiver, answers)
  }

  async #store(
    wish: SnapshotWish,
    info: SnapshotInfo,
    receiver: SnapshotReceiver,
    answers: AsyncIterator<FetchAnswer>,
  ): Promise<SnapshotInfo | null> {
    let { storedBytes } = receiver
    for (;;) {
      this.#progress = { from: wish.from, index: info.index, storedBytes, size: info.size }
      if (storedBytes >= info.size) break
      const answer = await nextAnswer(answers)
      if (this.#wish !== wish) {
        await answers.return?.()
        return null
      }
      if (answer?.kind !== 'part') throw cutShort(wish)
      await receiver.write(answer.part)
      storedBytes += answer.part.byteLength
      if (this.#ports.rare?.('snapshot-fetcher: a fetch is given up after a part') === true) {
        await answers.return?.()
        throw cutShort(wish)
      }
    }
    await answers.return?.()
    try {
      return await receiver.finish(holdsItsState)
    } catch (thrown) {
      await receiver.abort()
      throw thrown
    }
  }

  #ask(wish: SnapshotWish, offset: number): AsyncIterator<FetchAnswer> {
    const { index } = wish.snapshot
    const answers = this.#ports.peers.fetch(wish.from, { kind: 'snapshot', index, offset })
    return answers[Symbol.asyncIterator]()
  }
}

async function nextAnswer(answers: AsyncIterator<FetchAnswer>): Promise<FetchAnswer | null> {
  const next = await answers.next()
  return next.done === true ? null : next.value
}

/** The owner describes the very snapshot that the leader offered. */
function checked(answer: FetchAnswer | null, wish: SnapshotWish, clusterId: string): SnapshotInfo {
  if (answer?.kind !== 'snapshot') throw cutShort(wish)
  const { snapshot } = answer
  const isTheOffered =
    snapshot.clusterId === clusterId &&
    snapshot.index === wish.snapshot.index &&
    snapshot.term === wish.snapshot.term &&
    snapshot.configurationIndex === wish.snapshot.configurationIndex
  if (isTheOffered) return snapshot
  throw new CountersignError(
    'MALFORMED_REQUEST',
    `${wish.from} hands out another snapshot than was offered.`,
  )
}

function cutShort(wish: SnapshotWish): CountersignError {
  return new CountersignError('UNREACHABLE', `${wish.from} stopped in the middle of a snapshot.`)
}

function isOfThisDisk({ code }: CountersignError): boolean {
  return code === 'STORE_FAILED' || code === 'DISK_FULL' || code === 'INTERNAL'
}
