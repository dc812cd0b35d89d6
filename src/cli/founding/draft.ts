/** Folders that appear whole or not at all: written beside their place, synced, then renamed. */
import { access, chmod, mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { CountersignError } from '../../errors.js'

export interface Draft {
  readonly at: string
  readonly target: string
}

export async function refuseExisting(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    const names = await readdir(target).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return undefined
      if (code === 'ENOTDIR') return ['a file']
      throw error
    })
    // An empty directory is replaced by the rename.
    if (names === undefined || names.length === 0) continue
    throw new CountersignError('ALREADY_INITIALISED', `${target} is there already.`, {
      details: { directory: target },
    })
  }
}

export async function draftBeside(target: string): Promise<Draft> {
  const parent = path.dirname(target)
  await mkdir(parent, { recursive: true })
  const prefix = `.${path.basename(target).replace(/^\.+/, '')}-draft-`
  await sweepDrafts(parent, prefix)
  const at = await mkdtemp(path.join(parent, prefix))
  await chmod(at, 0o755)
  return { at, target }
}

/** A founding takes seconds; an older draft is what a killed one left, private keys among it. */
const draftAgeMaxMs = 10 * 60_000

async function sweepDrafts(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue
    const draft = path.join(parent, name)
    const { mtimeMs } = await stat(draft)
    if (Date.now() - mtimeMs > draftAgeMaxMs) await rm(draft, { recursive: true, force: true })
  }
}

export async function writeFileSynced(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const handle = await open(file, 'wx', mode)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a directory; its renames are journalled.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
