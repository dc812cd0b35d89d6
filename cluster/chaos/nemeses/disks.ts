/** A disk that fills up. */
import { spawnSync } from 'node:child_process'
import { cp, mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { nodeFolder } from '../arena.js'
import { pause, type Nemesis } from '../nemesis.js'

const dataOf = (directory: string, id: string) => path.join(nodeFolder(directory, id), 'data')
const ballastOf = (directory: string, id: string) => path.join(dataOf(directory, id), 'ballast')

const mebibyte = 1024 * 1024
/** Room for the reserve file of a node (32 MiB) and for the load of some minutes. */
const diskMiB = 128

/** The node whose data lie on a small disk of their own. */
const smallDisk = 'node-1'

const refused = (program: string, parameters: readonly string[]) => {
  const run = spawnSync(program, parameters, { encoding: 'utf8' })
  return run.status === 0 ? undefined : run.stderr.trim() || (run.error?.message ?? program)
}

export const diskFull: Nemesis = {
  name: 'disk-full',
  nodesMin: 3,
  what: 'the disk of one node fills up to the last byte; later there is space again',
  prepare: async ({ directory, cleanUps }) => {
    const data = dataOf(directory, smallDisk)
    const aside = `${data}.aside`
    await rename(data, aside)
    await mkdir(data)
    const options = `size=${String(diskMiB)}m,mode=0700`
    const why = refused('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', data])
    if (why !== undefined) return `no tmpfs may be mounted here: ${why}`
    cleanUps.push(() => {
      const left = refused('umount', [data])
      if (left === undefined) return Promise.resolve()
      return Promise.reject(new Error(`${data} is still mounted: ${left}`))
    })
    await cp(aside, data, { recursive: true })
    await rm(aside, { recursive: true })
    return undefined
  },
  strike: async (strike) => {
    const { arena, random, signal } = strike
    const ballast = ballastOf(arena.directory, smallDisk)
    arena.mayEnd(smallDisk)
    arena.journal.note('fault', `disk full, ${String(await fill(ballast))} MiB of ballast`, [
      smallDisk,
    ])
    await pause(random.between(2000, 5000), signal)
    const { isRunning } = arena.cluster.node(smallDisk)
    await rm(ballast, { force: true })
    arena.journal.note('heal', `space again; the node ${isRunning ? 'had gone on' : 'had ended'}`, [
      smallDisk,
    ])
    if (isRunning) await arena.stop(smallDisk)
    await arena.start(smallDisk)
    await pause(random.between(1000, 3000), signal)
  },
}

/** Writes until nothing more fits; returns the MiB that did. */
async function fill(file: string): Promise<number> {
  const handle = await open(file, 'w')
  let written = 0
  try {
    for (let size = mebibyte; size >= 512;) {
      try {
        const { bytesWritten } = await handle.write(Buffer.alloc(size, 1))
        written += bytesWritten
        if (bytesWritten < size) size = Math.floor(size / 2)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
        size = Math.floor(size / 2)
      }
    }
  } finally {
    await handle.close()
  }
  return Math.round(written / mebibyte)
}
