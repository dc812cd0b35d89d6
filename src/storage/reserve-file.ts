/**
 * Space kept for the day when the disk is full: LevelDB does not even open then. The file is given
 * up so that the store can be opened and looked at, and taken again before the node goes on.
 */
import { open, rm, stat } from 'node:fs/promises'
import { diskFull, openFailure } from './failure.js'

/** Room for LevelDB's own recovery: a write-ahead log of 4 MiB, a table of 2 MiB, twice over. */
export const reserveBytesDefault = 32 * 1024 * 1024

const chunkBytes = 1024 * 1024

/** Written out, not only sized: a file with holes reserves nothing. */
export async function writeReserve(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'w', 0o600)
  try {
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes))
    for (let written = 0; written < bytes; written += chunk.length) {
      await handle.write(chunk, 0, Math.min(chunk.length, bytes - written))
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function giveUpReserve(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** Makes the reserve whole again after it was given up; refuses with DISK_FULL when it cannot. */
export async function restoreReserve(path: string, bytes: number): Promise<void> {
  try {
    const found = await stat(path).catch(() => null)
    if (found?.size === bytes) return
    await writeReserve(path, bytes)
  } catch (thrown) {
    await giveUpReserve(path)
    const failure = openFailure(path, thrown)
    throw failure.code === 'DISK_FULL' ? diskFull(path, thrown) : failure
  }
}
