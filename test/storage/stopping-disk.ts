/** A disk on which the process ends at a chosen operation: nothing after it reaches the disk. */
import type { BinaryLevel, Disk } from '../../src/storage/disk.js'
import type { Files, OpenFile } from '../../src/storage/files.js'

export class StoppingDisk implements Disk {
  readonly files: Files
  /** Operations that changed something so far. */
  operations = 0
  readonly #below: Disk
  readonly #stopBefore: number
  readonly #opened: BinaryLevel[] = []
  readonly #files: OpenFile[] = []
  readonly #running = new Set<Promise<unknown>>()

  constructor(below: Disk, stopBefore: number) {
    this.#below = below
    this.#stopBefore = stopBefore
    const { files } = below
    this.files = {
      open: async (path, mode) => {
        if (mode === 'create') this.#count()
        const file = await files.open(path, mode)
        this.#files.push(file)
        return this.#counted(file)
      },
      rename: (from, to) => this.#then(() => files.rename(from, to)),
      remove: (path) => this.#then(() => files.remove(path)),
      makeDirectory: (path) => files.makeDirectory(path),
      list: (path) => files.list(path),
      syncDirectory: (path) => this.#then(() => files.syncDirectory(path)),
    }
  }

  async openLevel(path: string, options: { createIfMissing: boolean }): Promise<BinaryLevel> {
    if (options.createIfMissing) this.#count()
    const db = await this.#below.openLevel(path, options)
    this.#opened.push(db)
    const batch = db.batch.bind(db) as (...given: unknown[]) => Promise<void>
    db.batch = ((...given: unknown[]) => this.#then(() => batch(...given))) as never
    return db
  }

  get hasStopped(): boolean {
    return this.operations >= this.#stopBefore
  }

  /** Of what was done side by side, some may still be under way when the process ends. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }

  /** What the system does for a process that ended. */
  async release(): Promise<void> {
    for (const db of this.#opened) await db.close()
    for (const file of this.#files) await file.close().catch(() => undefined)
  }

  #counted(file: OpenFile): OpenFile {
    return {
      write: (bytes, position) => this.#then(() => file.write(bytes, position)),
      writeSmall: (bytes, position) => {
        this.#count()
        file.writeSmall(bytes, position)
      },
      read: (position, length) => file.read(position, length),
      size: () => file.size(),
      sync: () => this.#then(() => file.sync()),
      close: () => file.close(),
    }
  }

  async #then<T>(operation: () => Promise<T>): Promise<T> {
    this.#count()
    const running = operation()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  #count(): void {
    this.operations += 1
    if (this.hasStopped) throw new Error('the process ended here')
  }
}
