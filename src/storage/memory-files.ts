/** Files in memory, for tests and simulation: everything is durable at once. */
import type { Files, OpenFile } from './files.js'

export class MemoryFiles implements Files {
  /** By path; may be tampered with by tests. */
  readonly contents = new Map<string, Buffer>()

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile> {
    await Promise.resolve()
    const exists = this.contents.has(path)
    if (mode === 'create' && exists) throw failure('EEXIST', path)
    if (mode !== 'create' && !exists) throw failure('ENOENT', path)
    if (!exists) this.contents.set(path, Buffer.alloc(0))
    return new MemoryFile(this.contents, path)
  }

  rename(from: string, to: string): Promise<void> {
    const content = this.contents.get(from)
    if (content === undefined) return Promise.reject(failure('ENOENT', from))
    this.contents.set(to, content)
    this.contents.delete(from)
    return Promise.resolve()
  }

  remove(path: string): Promise<void> {
    for (const each of [...this.contents.keys()]) {
      if (each === path || each.startsWith(`${path}/`)) this.contents.delete(each)
    }
    return Promise.resolve()
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve()
  }

  list(path: string): Promise<readonly string[]> {
    const inside = [...this.contents.keys()].filter((each) => each.startsWith(`${path}/`))
    const names = inside.map((each) => each.slice(path.length + 1).split('/')[0] ?? '')
    return Promise.resolve([...new Set(names)].sort())
  }

  syncDirectory(): Promise<void> {
    return Promise.resolve()
  }
}

class MemoryFile implements OpenFile {
  readonly #contents: Map<string, Buffer>
  readonly #path: string

  constructor(contents: Map<string, Buffer>, path: string) {
    this.#contents = contents
    this.#path = path
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    this.writeSmall(bytes, position)
    return Promise.resolve()
  }

  writeSmall(bytes: Uint8Array, position: number): void {
    const before = this.#content()
    const after = Buffer.alloc(Math.max(before.length, position + bytes.length))
    before.copy(after)
    after.set(bytes, position)
    this.#contents.set(this.#path, after)
  }

  read(position: number, length: number): Promise<Buffer> {
    return Promise.resolve(Buffer.from(this.#content().subarray(position, position + length)))
  }

  size(): Promise<number> {
    return Promise.resolve(this.#content().length)
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #content(): Buffer {
    return this.#contents.get(this.#path) ?? Buffer.alloc(0)
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
