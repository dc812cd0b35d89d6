/**
 * Port: what this room asks of a file system, and the real one. Everything beside LevelDB goes
 * through it, so that a power cut or a crash between any two operations can be played
 * (power-cut-files.ts, and the crash-point test).
 *
 * A write is durable after `sync` of its file; a name made, changed or removed is durable after
 * `syncDirectory` of its folder. Failures are those of node:fs, with their `code`.
 */
import { writeSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'

export interface OpenFile {
  write(bytes: Uint8Array, position: number): Promise<void>
  /** For a few hundred bytes: they only reach the page cache, so no thread is needed. */
  writeSmall(bytes: Uint8Array, position: number): void
  /** Fewer bytes than asked for at the end of the file. */
  read(position: number, length: number): Promise<Buffer>
  size(): Promise<number>
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Files {
  /** `create` refuses a name that is taken. */
  open(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  /** A file or a whole folder; one that is missing is no failure. */
  remove(path: string): Promise<void>
  makeDirectory(path: string): Promise<void>
  /** Names in it, sorted; none when it is missing. */
  list(path: string): Promise<readonly string[]>
  syncDirectory(path: string): Promise<void>
}

const flags = { read: 'r', update: 'r+', create: 'wx' } as const

export const systemFiles: Files = {
  open: async (path, mode) => new SystemFile(await open(path, flags[mode], 0o600)),
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true })
  },
  list: async (path) => {
    try {
      return (await readdir(path)).sort()
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return []
      throw thrown
    }
  },
  syncDirectory: async (path) => {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

class SystemFile implements OpenFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0
    while (written < bytes.length) {
      const rest = bytes.length - written
      const { bytesWritten } = await this.#handle.write(bytes, written, rest, position + written)
      written += bytesWritten
    }
  }

  writeSmall(bytes: Uint8Array, position: number): void {
    writeSync(this.#handle.fd, bytes, 0, bytes.length, position)
  }

  async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(
        bytes,
        filled,
        length - filled,
        position + filled,
      )
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** A changed size is synced too: fdatasync leaves out only what reading does not need. */
  async sync(): Promise<void> {
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
