/** Port: files and LevelDB stores together, and the real ones. */
import { Level } from 'level'
import { systemFiles, type Files } from './files.js'

/** On Node, Level is classic-level; its declarations leave out what only that one has. */
export type BinaryLevel = Level<Buffer, Buffer> & {
  /** Writes what is in memory into a table, and waits for it. */
  compactRange(from: Buffer, to: Buffer): Promise<void>
}

export interface Disk {
  readonly files: Files
  openLevel(path: string, options: { readonly createIfMissing: boolean }): Promise<BinaryLevel>
}

export const systemDisk: Disk = {
  files: systemFiles,
  openLevel: async (path, { createIfMissing }) => {
    const db = new Level<Buffer, Buffer>(path, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      createIfMissing,
    }) as BinaryLevel
    await db.open()
    return db
  },
}
