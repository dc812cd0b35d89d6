import { fork, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { initialiseDataDirectory, openStores } from '../../src/storage/index.js'
import { openFailure } from '../../src/storage/failure.js'
import { batch, entry } from '../contract/log-store.js'
import { repositoryRoot } from '../house/repository.js'
import { found, identity, openAt, reserveBytes } from './data.js'

const base = t.testdir()

await t.test('a founded directory opens empty, with guard and reserve', async (t) => {
  const directory = join(base, 'fresh')
  await found(directory)
  const { logStore, stateStore, recovered } = await openAt(directory)
  t.same(recovered, {
    hardState: { term: 0, votedFor: null, commit: 0 },
    anchor: { index: 0, term: 0 },
    entries: [],
  })
  t.equal((await stat(join(directory, 'guard'))).size, 1024)
  t.equal((await stat(join(directory, 'reserve'))).size, reserveBytes)
  await logStore.close()
  await stateStore.close()
})

await t.test('a directory that holds anything is never founded again', async (t) => {
  const directory = join(base, 'twice')
  await found(directory)
  await t.rejects(found(directory), { code: 'ALREADY_INITIALISED' })
  const other = join(base, 'other')
  await mkdir(other)
  await writeFile(join(other, 'notes.txt'), 'mine')
  await t.rejects(found(other), { code: 'ALREADY_INITIALISED' })
  t.same(await readdir(other), ['notes.txt'])
})

await t.test('founding leaves nothing half made beside the directory', async (t) => {
  const parent = join(base, 'tidy')
  await found(join(parent, 'data'))
  t.same(await readdir(parent), ['data'])
})

await t.test('a node never makes an identity', async (t) => {
  const empty = join(base, 'empty')
  await mkdir(empty)
  await t.rejects(openAt(empty), {
    code: 'NO_IDENTITY',
    message: /Mount its own directory\. .*`countersign node replace`/,
  })
  t.same(await readdir(empty), [])
  await t.rejects(openAt(join(base, 'missing')), { code: 'NO_IDENTITY' })
})

await t.test('the directory of another node, disk or cluster is refused', async (t) => {
  const directory = join(base, 'foreign')
  await found(directory)
  const strangers = [
    { ...identity, nodeId: 'node-2' },
    { ...identity, incarnation: '2c'.repeat(16) },
    { ...identity, clusterId: 'c2'.repeat(32) },
  ]
  for (const stranger of strangers) {
    await t.rejects(openStores({ directory, identity: stranger, reserveBytes }), {
      code: 'IDENTITY_MISMATCH',
    })
  }
})

await t.test('a directory that is open is locked', async (t) => {
  const directory = join(base, 'locked')
  await found(directory)
  const first = await openAt(directory)
  await t.rejects(openAt(directory), { code: 'STORE_LOCKED' })
  await first.logStore.close()
  await first.stateStore.close()
  const again = await openAt(directory)
  await again.logStore.close()
  await again.stateStore.close()
})

await t.test('a lost reserve is taken again at the next start', async (t) => {
  const directory = join(base, 'reserve')
  await found(directory)
  await rm(join(directory, 'reserve'))
  const { logStore, stateStore } = await openAt(directory)
  t.equal((await stat(join(directory, 'reserve'))).size, reserveBytes)
  await logStore.close()
  await stateStore.close()
})

await t.test('what was written survives SIGKILL, unacknowledged tail or not', async (t) => {
  const directory = join(base, 'killed')
  await found(directory)
  const writer = fork(join(repositoryRoot, 'dist/test/storage/kill-writer.js'), [directory], {
    execArgv: [],
  })
  const acknowledged = await new Promise<number>((resolve) => {
    let last = 0
    writer.on('message', (index) => {
      last = Number(index)
      if (last >= 40) writer.kill('SIGKILL')
    })
    writer.once('exit', () => {
      resolve(last)
    })
  })
  const { logStore, stateStore, recovered } = await openAt(directory)
  t.ok(acknowledged >= 40)
  t.ok(recovered.entries.length >= acknowledged, 'nothing acknowledged is missing')
  const next = recovered.entries.length + 1
  await logStore.write(batch({ entries: [entry(next, 1)] }))
  await logStore.close()
  await stateStore.close()
})

await t.test('a full disk: no write is acknowledged, and the next start says so', async (t) => {
  const mount = join(base, 'small')
  await mkdir(mount)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mount])
  if (mounted.status !== 0) {
    t.pass('not exercised', { skip: 'no small file system can be mounted here' })
    return
  }
  try {
    const directory = join(mount, 'data')
    const reserveBytesHere = 1024 * 1024
    await initialiseDataDirectory({ directory, ...identity, reserveBytes: reserveBytesHere })
    const open = () => openStores({ directory, identity, reserveBytes: reserveBytesHere })
    const { logStore, stateStore } = await open()
    await logStore.write(batch({ term: 1 }))
    let acknowledged = 0
    const filling = (async () => {
      for (;;) {
        const next = { ...entry(acknowledged + 1, 1), payload: randomBytes(20_000) }
        await logStore.write(batch({ entries: [next] }))
        acknowledged += 1
      }
    })()
    await t.rejects(filling, { code: 'DISK_FULL' })
    await t.rejects(logStore.write(batch({ term: 2 })), { code: 'DISK_FULL' }, 'the store is dead')
    await logStore.close().catch(() => undefined)
    await stateStore.close().catch(() => undefined)
    t.ok(acknowledged > 10)

    await t.rejects(open(), { code: 'DISK_FULL' }, 'no start without the reserve')
    spawnSync('mount', ['-o', 'remount,size=16m', mount])
    const again = await open()
    t.ok(again.recovered.entries.length >= acknowledged)
    await again.logStore.close()
    await again.stateStore.close()
  } finally {
    spawnSync('umount', ['--lazy', mount])
  }
})

await t.test('what the system does not let us open is not called damaged', (t) => {
  const leveldb = (text: string): Error =>
    new Error('Database failed to open', { cause: new Error(`IO error: data/raft/LOCK: ${text}`) })
  const refusals = [
    ...['EACCES', 'EPERM', 'EROFS', 'EMFILE', 'ENFILE'].map((code) =>
      Object.assign(new Error(code), { code }),
    ),
    leveldb('Permission denied'),
    leveldb('Read-only file system'),
    leveldb('Too many open files'),
  ]
  for (const thrown of refusals) t.equal(openFailure('data/raft', thrown).code, 'STORE_FAILED')
  t.equal(openFailure('data/raft', leveldb('No such file or directory')).code, 'STORE_DAMAGED')
  t.end()
})
