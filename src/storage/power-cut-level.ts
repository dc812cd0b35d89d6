/**
 * A LevelDB store that loses what was not synced, for tests: such batches wait in memory until a
 * synced one, a clean close, or too many of them; reads see them. The page cache of the kernel
 * survives `kill -9` and would hide a missing sync.
 */
import type { BinaryLevel } from './disk.js'

type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }
type Batch = readonly Operation[]

/** When there are more, the oldest go to the store, in order. */
const batchesHeldBack = 64

export class PowerCutLevel {
  readonly db: BinaryLevel
  readonly #write: (batch: Batch, options?: { readonly sync?: boolean }) => Promise<void>
  #waiting: Batch[] = []

  /** Takes the store over: it is used through `db` as before. */
  constructor(db: BinaryLevel) {
    this.db = db
    this.#write = db.batch.bind(db) as never
    const get = db.get.bind(db) as (key: Buffer, options?: object) => Promise<Buffer | undefined>
    const iterator = db.iterator.bind(db)
    const close = db.close.bind(db)
    db.batch = ((batch: Batch, options?: { readonly sync?: boolean }) =>
      this.#batch(batch, options)) as never
    db.get = ((key: Buffer, options?: object) => {
      const found = this.#find(key)
      return found === undefined ? get(key, options) : Promise.resolve(found.value)
    }) as never
    const compactRange = db.compactRange.bind(db)
    db.compactRange = async (from, to) => {
      await this.#pass(Infinity)
      await compactRange(from, to)
    }
    db.getMany = (keys: readonly Buffer[]) => Promise.all(keys.map((key) => db.get(key)))
    // Whoever reads it all makes it durable: the system writes back what it likes, when it likes.
    const settled = async function* (settle: () => Promise<void>, options: object) {
      await settle()
      yield* iterator(options)
    }
    db.iterator = ((options: object) => settled(() => this.#pass(Infinity), options)) as never
    db.close = async () => {
      await this.#pass(Infinity)
      await close()
    }
  }

  /** The power goes; of the batches that wait, `survives` says whether each got through whole. */
  async cut(survives: () => number): Promise<void> {
    const lost = this.#waiting
    this.#waiting = []
    for (const batch of lost) if (survives() >= 1) await this.#write(batch)
  }

  async #batch(batch: Batch, options?: { readonly sync?: boolean }): Promise<void> {
    if (options?.sync === true) {
      await this.#pass(Infinity)
      await this.#write(batch, options)
    } else {
      this.#waiting.push(batch)
      await this.#pass(this.#waiting.length - batchesHeldBack)
    }
  }

  async #pass(count: number): Promise<void> {
    const due = this.#waiting.slice(0, Math.max(0, count))
    this.#waiting = this.#waiting.slice(due.length)
    for (const batch of due) await this.#write(batch)
  }

  #find(key: Buffer): { readonly value: Buffer | undefined } | undefined {
    const operation = this.#waiting
      .flat()
      .reverse()
      .find((each) => each.key.equals(key))
    if (operation === undefined) return undefined
    return { value: operation.type === 'put' ? operation.value : undefined }
  }
}
