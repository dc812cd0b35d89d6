/** A crash at every operation of the state store: index and data are old together or new together. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStateStore } from '../../../src/storage/level-state-store.js'
import { systemDisk, type BinaryLevel, type Disk } from '../../../src/storage/disk.js'
import type { CodedScenario } from './scenario.js'

const changing = new Set<PropertyKey>(['batch', 'put', 'del'])
const entries = 5

/** After `allowed` changes of the database the process is gone: nothing more reaches the disk. */
function crashingDisk(allowed: number): Disk {
  let done = 0
  return {
    files: systemDisk.files,
    openLevel: async (path, options) => {
      const db = await systemDisk.openLevel(path, options)
      return new Proxy(db, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target)
          if (typeof member !== 'function') return member
          const operation = member.bind(target) as (...args: unknown[]) => unknown
          if (!changing.has(name)) return operation
          return (...args: unknown[]): unknown => {
            done += 1
            return done > allowed ? Promise.reject(new Error('crash')) : operation(...args)
          }
        },
      }) satisfies BinaryLevel
    },
  }
}

/** Applies entries 1 to 5 until the crash; each writes its index under one key. */
async function applyUntilCrash(file: string, allowed: number): Promise<boolean> {
  const store = await openLevelStateStore(file, crashingDisk(allowed))
  try {
    for (let index = 1; index <= entries; index += 1) {
      const value = Buffer.from(String(index))
      const digest = index.toString(16).padStart(64, '0')
      await store.write([{ key: 'row/counter', value }], { index, term: 1, digest })
    }
    return true
  } catch {
    return false
  } finally {
    await store.close()
  }
}

async function found(file: string): Promise<readonly [applied: number, counter: number]> {
  const store = await openLevelStateStore(file)
  try {
    let counter = 0
    for await (const [, value] of store.readAll()) counter = Number(Buffer.from(value).toString())
    return [(await store.readApplied())?.index ?? 0, counter]
  } finally {
    await store.close()
  }
}

export const appliedIndexWithItsData: CodedScenario = {
  number: 55,
  name: '55-applied-index-with-its-data',
  title: 'a crash between any two operations of the state store',
  source: 'etcd PR 13967, etcd#10508',
  proves: 'the applied index and what was applied are one write, so each entry is applied once',
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'countersign-scenario-'))
    try {
      let whole = false
      for (let allowed = 0; !whole; allowed += 1) {
        const file = join(folder, String(allowed))
        whole = await applyUntilCrash(file, allowed)
        const [applied, counter] = await found(file)
        assert.equal(applied, counter, `after ${String(allowed)} operations`)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
