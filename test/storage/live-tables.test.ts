/** A table that a killed process did not finish is no damage; one that is in use is. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { systemDisk } from '../../src/storage/disk.js'
import { systemFiles } from '../../src/storage/files.js'
import { openLevelStateStore } from '../../src/storage/level-state-store.js'
import { liveTables } from '../../src/storage/live-tables.js'
import { damagedTables } from '../../src/storage/table-check.js'

const digest = 'ab'.repeat(32)

/** A closed state store of several tables, some of them merged from others. */
async function filled(directory: string): Promise<void> {
  const store = await openLevelStateStore(directory)
  for (let index = 1; index <= 40; index += 1) {
    const value = Buffer.alloc(1000, index)
    const key = `table/${String(index % 7)}`
    await store.write([{ key, value }], { index, term: 1, digest })
    if (index % 5 === 0) await store.settle(index)
  }
  await store.close()
  const db = await systemDisk.openLevel(directory, { createIfMissing: false })
  await db.compactRange(Buffer.from('a'), Buffer.from('z'))
  await db.close()
}

const tablesIn = async (directory: string): Promise<readonly string[]> =>
  (await readdir(directory)).filter((name) => name.endsWith('.ldb')).sort()

await t.test('the MANIFEST tells what LevelDB keeps', async (t) => {
  const directory = t.testdir()
  await filled(directory)
  const live = await liveTables(directory, systemFiles)
  const kept = await tablesIn(directory)
  t.ok(kept.length > 0)
  t.same(
    [...(live ?? [])].sort((a, b) => a - b),
    kept.map((name) => parseInt(name, 10)),
  )
})

await t.test('an unfinished table takes nothing with it', async (t) => {
  const directory = t.testdir()
  await filled(directory)
  const [table = ''] = await tablesIn(directory)
  const bytes = await readFile(join(directory, table))
  await writeFile(join(directory, '009999.ldb'), bytes.subarray(0, bytes.length - 60))
  t.same(await damagedTables(directory, systemFiles), [])
  const store = await openLevelStateStore(directory)
  t.same(await store.readApplied(), { index: 40, term: 1, digest }, 'the store was not thrown away')
  await store.close()
})

await t.test('a table in use that is cut short is damaged', async (t) => {
  const directory = t.testdir()
  await filled(directory)
  const [table = ''] = await tablesIn(directory)
  const bytes = await readFile(join(directory, table))
  await writeFile(join(directory, table), bytes.subarray(0, bytes.length - 60))
  t.match(await damagedTables(directory, systemFiles), [{ file: join(directory, table) }])
})

await t.test('with a MANIFEST that cannot be followed, every table counts', async (t) => {
  const directory = t.testdir()
  await filled(directory)
  await writeFile(join(directory, '009999.ldb'), 'no table')
  const manifest = (await readdir(directory)).find((name) => name.startsWith('MANIFEST')) ?? ''
  const bytes = await readFile(join(directory, manifest))
  bytes[10] = (bytes[10] ?? 0) ^ 1
  await writeFile(join(directory, manifest), bytes)
  t.equal(await liveTables(directory, systemFiles), null)
  t.match(await damagedTables(directory, systemFiles), [{ file: join(directory, '009999.ldb') }])
})
