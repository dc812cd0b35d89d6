/** What a directory takes on the disk. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** Blocks that are taken, so that a preallocated file counts as what it takes. */
export async function diskMiB(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true })
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(directory, name)).then(
        ({ blocks }) => blocks * 512,
        // The database removed it in between.
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20
}
