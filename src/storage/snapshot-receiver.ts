/**
 * Takes in a peer's snapshot. Bytes come cut anywhere; a block is verified when its last byte is
 * here and only then written. What was begun goes on while the process lives; a restarted process
 * begins again, as nothing of a draft was promised to be on the disk.
 */
import { CountersignError } from '../errors.js'
import { writeFailure } from './failure.js'
import type { Files, OpenFile } from './files.js'
import { SnapshotScan } from './snapshot-scan.js'
import type { SnapshotInfo, SnapshotReceiver, StateCheck } from './snapshot-store.js'

interface ReceiverOptions {
  readonly files: Files
  /** Path of the unfinished file. */
  readonly draft: string
  readonly info: SnapshotInfo
  /** Null when it does not pass the check. */
  readonly putInPlace: (draft: string, isState?: StateCheck) => Promise<SnapshotInfo | null>
  readonly ended: () => void
}

export class FileSnapshotReceiver implements SnapshotReceiver {
  readonly #options: ReceiverOptions
  readonly #file: OpenFile
  readonly #scan = new SnapshotScan()
  #rest = Buffer.alloc(0)
  #needed = 0
  #isOpen = true

  private constructor(options: ReceiverOptions, file: OpenFile) {
    this.#options = options
    this.#file = file
  }

  static async begin(options: ReceiverOptions): Promise<FileSnapshotReceiver> {
    try {
      await options.files.remove(options.draft)
      return new FileSnapshotReceiver(options, await options.files.open(options.draft, 'create'))
    } catch (thrown) {
      throw writeFailure(options.draft, thrown)
    }
  }

  get storedBytes(): number {
    return this.#scan.bytes
  }

  isFor(info: SnapshotInfo): boolean {
    return this.#options.info.digest === info.digest && this.#options.info.index === info.index
  }

  /** The transfer begins anew at `storedBytes`: an unfinished block comes again. */
  goOn(): void {
    this.#rest = Buffer.alloc(0)
    this.#needed = 0
  }

  async write(part: Uint8Array): Promise<void> {
    this.#refuseUnless(this.#isOpen, 'is not being received any more')
    this.#rest = Buffer.concat([this.#rest, part])
    const room = this.#options.info.size - this.#scan.bytes
    this.#refuseUnless(this.#rest.length <= room, 'is longer than announced')
    while (this.#rest.length > 0 && this.#rest.length >= this.#needed) {
      const position = this.#scan.bytes
      const taken = this.#scan.take(this.#rest)
      if ('why' in taken) {
        this.goOn()
        this.#refuseUnless(false, taken.why)
        return
      }
      if ('missing' in taken) {
        this.#needed = this.#rest.length + taken.missing
        return
      }
      this.#needed = 0
      this.#rest = Buffer.from(this.#rest.subarray(taken.block.bytes.length))
      try {
        await this.#file.write(taken.block.bytes, position)
      } catch (thrown) {
        await this.abort()
        throw writeFailure(this.#options.draft, thrown)
      }
    }
  }

  async finish(isState?: StateCheck): Promise<SnapshotInfo> {
    this.#refuseUnless(this.#isOpen, 'is not being received any more')
    const { info: announced, draft, putInPlace, ended } = this.#options
    const received = this.#scan.info
    if (received === null || !isSame(received, announced)) {
      await this.abort()
      this.#refuseUnless(false, received === null ? 'is not whole' : 'is not the announced one')
    }
    this.#isOpen = false
    ended()
    let placed: SnapshotInfo | null
    try {
      await this.#file.sync()
      await this.#file.close()
      placed = await putInPlace(draft, isState)
    } catch (thrown) {
      throw writeFailure(draft, thrown)
    }
    if (placed !== null) return placed
    await this.#options.files.remove(draft)
    throw this.#refusal('does not hold the state that it names')
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#options.ended()
    await this.#file.close().catch(() => undefined)
    await this.#options.files.remove(this.#options.draft)
  }

  #refuseUnless(condition: boolean, why: string): void {
    if (!condition) throw this.#refusal(why)
  }

  #refusal(why: string): CountersignError {
    const { index } = this.#options.info
    return new CountersignError(
      'FETCHED_DAMAGED',
      `The snapshot at ${String(index)} ${why}. Nothing of that part was kept; ask another peer.`,
      { details: { index, problem: why } },
    )
  }
}

/** The digest covers everything but what the announcement says beside it. */
function isSame(received: SnapshotInfo, announced: SnapshotInfo): boolean {
  return (
    received.digest === announced.digest &&
    received.size === announced.size &&
    received.index === announced.index &&
    received.term === announced.term &&
    received.clusterId === announced.clusterId &&
    received.chain === announced.chain &&
    received.stateDigest === announced.stateDigest
  )
}
