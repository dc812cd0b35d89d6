import t from 'tap'
import type { WatchBatch } from '../../src/node/ports.js'
import { WatchHub } from '../../src/node/watch-hub.js'

function batchAt(revision: number, path: string): WatchBatch {
  return {
    revision,
    at: 0,
    changeId: `${String(revision)}${path}`,
    written: [
      {
        path,
        modRevision: revision,
        previousModRevision: 0,
        createRevision: revision,
        content: { kind: 'value', value: revision },
      },
    ],
  }
}

/** A log of activations and a hub over it; deferred work runs when the test says so. */
function fixture(watchersMax = 10): {
  hub: WatchHub
  apply: (...batches: readonly WatchBatch[]) => void
  turn: () => void
} {
  const applied: WatchBatch[] = []
  let deferred: (() => void)[] = []
  const hub = new WatchHub({
    writtenSince: (revision, prefix) =>
      applied.filter(
        (batch) => batch.revision > revision && batch.written[0]?.path.startsWith(prefix) === true,
      ),
    appliedIndex: () => applied.at(-1)?.revision ?? 0,
    defer: (callback) => deferred.push(callback),
    watchersMax,
  })
  return {
    hub,
    apply: (...batches) => {
      applied.push(...batches)
      hub.activated(batches)
    },
    turn: () => {
      const now = deferred
      deferred = []
      for (const callback of now) callback()
    },
  }
}

await t.test('no gap and no duplicate, wherever catching up meets new activations', (t) => {
  for (let meet = 0; meet < 6; meet += 1) {
    const { hub, apply, turn } = fixture()
    for (let revision = 1; revision <= 200; revision += 1) apply(batchAt(revision, '/a/x'))
    const seen: number[] = []
    hub.watch({ prefix: '/a/', afterRevision: 20 }, ({ revision }) => seen.push(revision))
    for (let step = 0; step < 6; step += 1) {
      if (step === meet) apply(batchAt(201, '/a/x'), batchAt(201, '/a/y'))
      turn()
    }
    const expected = Array.from({ length: 180 }, (_, at) => at + 21)
    t.same(seen, [...expected, 201, 201])
  }
  t.end()
})

await t.test('without a revision only what comes; other paths are left out', (t) => {
  const { hub, apply, turn } = fixture()
  apply(batchAt(1, '/a/x'))
  const seen: string[] = []
  hub.watch({ prefix: '/a/x' }, ({ changeId }) => seen.push(changeId))
  turn()
  apply(batchAt(2, '/a/xy'))
  apply(batchAt(3, '/a/x'))
  t.same(seen, ['3/a/x'])
  t.end()
})

await t.test('a revision that is still to come is waited for', (t) => {
  const { hub, apply, turn } = fixture()
  const seen: number[] = []
  hub.watch({ prefix: '/', afterRevision: 5 }, ({ revision }) => seen.push(revision))
  turn()
  for (const revision of [4, 5, 6]) apply(batchAt(revision, '/a'))
  t.same(seen, [6])
  t.end()
})

await t.test('closed means closed, also in the middle of catching up', (t) => {
  const { hub, apply, turn } = fixture()
  for (let revision = 1; revision <= 10; revision += 1) apply(batchAt(revision, '/a'))
  const seen: number[] = []
  const watch = hub.watch({ prefix: '/', afterRevision: 0 }, ({ revision }) => {
    seen.push(revision)
    if (revision === 3) watch.close()
  })
  turn()
  apply(batchAt(11, '/a'))
  t.same(seen, [1, 2, 3])
  t.equal(hub.size, 0)
  t.end()
})

await t.test('a subscriber that throws loses its watch, the others keep theirs', (t) => {
  const { hub, apply, turn } = fixture()
  const seen: number[] = []
  hub.watch({ prefix: '/' }, () => {
    throw new Error('broken')
  })
  hub.watch({ prefix: '/' }, ({ revision }) => seen.push(revision))
  turn()
  apply(batchAt(1, '/a'))
  apply(batchAt(2, '/a'))
  t.same(seen, [1, 2])
  t.equal(hub.size, 1)
  t.end()
})

await t.test('no more watchers than the limit', (t) => {
  const { hub } = fixture(1)
  hub.watch({ prefix: '/' }, () => undefined)
  t.throws(() => hub.watch({ prefix: '/' }, () => undefined), { code: 'BUSY' })
  t.end()
})
