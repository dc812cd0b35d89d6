/**
 * Files that lose what was not synced, for tests: a write waits in memory for the `sync` of its
 * file, a rename or removal for `syncDirectory` of its folder. Reads see what waits. `kill -9` of
 * the process is then a power cut; within a process {@link PowerCutFiles.cut} is one. Made files
 * are there at once, and empty. LevelDB's own files do not go through here: what it was given without
 * a sync waits in power-cut-level.ts.
 */
import { dirname } from 'node:path'
import { systemDisk, type Disk } from './disk.js'
import type { Files, OpenFile } from './files.js'
import { PowerCutLevel } from './power-cut-level.js'

type Waiting =
  | {
      readonly kind: 'write'
      path: string
      readonly bytes: Uint8Array
      readonly position: number
    }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

export class PowerCutFiles implements Files {
  readonly #below: Files
  #waiting: Waiting[] = []

  constructor(below: Files) {
    this.#below = below
  }

  /**
   * The power goes: of what waits, `survives` says for each operation, in order, whether it reached
   * the disk all the same. A write that survives in part is cut to that share of its bytes.
   */
  async cut(survives: () => number): Promise<void> {
    const lost = this.#waiting
    this.#waiting = []
    for (const operation of lost) {
      const share = survives()
      if (share <= 0) continue
      if (operation.kind !== 'write') await this.#apply(operation)
      else {
        const bytes = operation.bytes.subarray(0, Math.ceil(operation.bytes.length * share))
        await this.#apply({ ...operation, bytes })
      }
    }
  }

  /** Carries out what waits for this name, as the kernel keeps the order of one name. */
  async settle(path: string): Promise<void> {
    const due = this.#waiting.filter((each) => each.kind !== 'write' && each.path === path)
    this.#waiting = this.#waiting.filter((each) => !due.includes(each))
    for (const operation of due) await this.#apply(operation)
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile> {
    if (mode === 'create') await this.settle(path)
    const { exists, actual } = this.#resolve(path)
    if (!exists) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    const file = await this.#below.open(actual, mode)
    return {
      write: (bytes, position) => {
        this.#waiting.push({ kind: 'write', path: actual, bytes: Buffer.from(bytes), position })
        return Promise.resolve()
      },
      writeSmall: (bytes, position) => {
        this.#waiting.push({ kind: 'write', path: actual, bytes: Buffer.from(bytes), position })
      },
      read: async (position, length) => {
        const size = await this.#sizeOf(actual, file)
        const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - position)))
        bytes.set(await file.read(position, bytes.length))
        for (const write of this.#writesTo(actual)) overlay(bytes, position, write)
        return bytes
      },
      size: () => this.#sizeOf(actual, file),
      sync: async () => {
        const writes = this.#writesTo(actual)
        this.#waiting = this.#waiting.filter((each) => !writes.includes(each as never))
        for (const { bytes, position } of writes) await file.write(bytes, position)
        await file.sync()
      },
      close: () => file.close(),
    }
  }

  rename(path: string, to: string): Promise<void> {
    this.#waiting.push({ kind: 'rename', path: this.#resolve(path).actual, to })
    return Promise.resolve()
  }

  remove(path: string): Promise<void> {
    this.#waiting.push({ kind: 'remove', path })
    return Promise.resolve()
  }

  makeDirectory(path: string): Promise<void> {
    return this.#below.makeDirectory(path)
  }

  async list(path: string): Promise<readonly string[]> {
    const names = new Set(await this.#below.list(path))
    for (const operation of this.#waiting) {
      if (operation.kind === 'write' || dirname(operation.path) !== path) continue
      names.delete(operation.path.slice(path.length + 1))
      if (operation.kind === 'rename') names.add(operation.to.slice(path.length + 1))
    }
    return [...names].sort()
  }

  async syncDirectory(path: string): Promise<void> {
    const due = this.#waiting.filter((each) => each.kind !== 'write' && dirname(each.path) === path)
    this.#waiting = this.#waiting.filter((each) => !due.includes(each))
    for (const operation of due) await this.#apply(operation)
    await this.#below.syncDirectory(path)
  }

  async #apply(operation: Waiting): Promise<void> {
    if (operation.kind === 'remove') return this.#below.remove(operation.path)
    if (operation.kind === 'rename') {
      for (const each of this.#waiting) {
        if (each.kind === 'write' && each.path === operation.path) each.path = operation.to
      }
      return this.#below.rename(operation.path, operation.to)
    }
    const file = await this.#below.open(operation.path, 'update').catch(() => null)
    await file?.write(operation.bytes, operation.position)
    await file?.close()
  }

  /** Where a name is on the disk, with what waits counted in. */
  #resolve(path: string): { readonly exists: boolean; readonly actual: string } {
    let actual = path
    let exists = true
    for (const operation of this.#waiting) {
      if (operation.kind === 'remove' && operation.path === path) exists = false
      if (operation.kind === 'rename' && operation.path === path) exists = false
      if (operation.kind === 'rename' && operation.to === path) {
        actual = operation.path
        exists = true
      }
    }
    return { exists, actual }
  }

  #writesTo(path: string): readonly (Waiting & { kind: 'write' })[] {
    return this.#waiting.filter((each) => each.kind === 'write' && each.path === path) as never
  }

  async #sizeOf(path: string, file: OpenFile): Promise<number> {
    const ends = this.#writesTo(path).map(({ bytes, position }) => position + bytes.length)
    return Math.max(await file.size(), ...ends)
  }
}

function overlay(
  into: Buffer,
  position: number,
  write: { readonly bytes: Uint8Array; readonly position: number },
): void {
  const from = Math.max(position, write.position)
  const to = Math.min(position + into.length, write.position + write.bytes.length)
  if (to <= from) return
  into.set(write.bytes.subarray(from - write.position, to - write.position), from - position)
}

export interface PowerCutDisk extends Disk {
  readonly files: PowerCutFiles
  /** The power goes, for files and stores alike; the stores must still be open. */
  cut(survives: () => number): Promise<void>
}

/** A disk of such files, and of LevelDB stores that lose what was not synced. */
export function powerCutDisk(below: Disk = systemDisk): PowerCutDisk {
  const files = new PowerCutFiles(below.files)
  const stores: PowerCutLevel[] = []
  return {
    files,
    openLevel: async (path, options) => {
      await files.settle(path)
      const store = new PowerCutLevel(await below.openLevel(path, options))
      stores.push(store)
      return store.db
    },
    cut: async (survives) => {
      for (const store of stores) if (store.db.status === 'open') await store.cut(survives)
      await files.cut(survives)
    },
  }
}
