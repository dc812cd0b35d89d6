/** Port: files and LevelDB stores together, and the real ones. */
import { Level } from 'level'
import { systemFiles, type Files } from './files.js'

export type BinaryLevel = Level<Buffer, Buffer>

export interface Disk {
  readonly files: Files
  openLevel(path: string, options: { readonly createIfMissing: boolean }): Promise<BinaryLevel>
}

export const systemDisk: Disk = {
  files: systemFiles,
  openLevel: async (path, { createIfMissing }) => {
    const db: BinaryLevel = new Level(path, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      createIfMissing,
    })
    await db.open()
    return db
  },
}
