/** What every state store must do. */
import type { Test } from 'tap'
import type { StateStore } from '../../src/storage/index.js'

export interface StateDisk {
  open(): Promise<StateStore>
}

export type StateCase = readonly [name: string, run: (t: Test, disk: StateDisk) => Promise<void>]

const digest = (fill: number): string => Buffer.alloc(32, fill).toString('hex')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const stateStoreCases: readonly StateCase[] = [
  [
    'an empty store has no applied point and no record',
    async (t, disk) => {
      const store = await disk.open()
      t.equal(await store.readApplied(), null)
      t.same(await all(store), [])
      await store.close()
    },
  ],
  [
    'records and applied point come back together',
    async (t, disk) => {
      const store = await disk.open()
      await store.write([{ key: 'a', value: bytes('1') }], { index: 1, term: 1, digest: digest(1) })
      await store.write(
        [
          { key: 'a', value: bytes('2') },
          { key: 'b', value: bytes('') },
        ],
        { index: 5, term: 2, digest: digest(2) },
      )
      await store.close()
      const again = await disk.open()
      t.same(await again.readApplied(), { index: 5, term: 2, digest: digest(2) })
      t.same(await all(again), [
        ['a', '2'],
        ['b', ''],
      ])
      await again.close()
    },
  ],
  [
    'null deletes, and an apply without writes still moves the applied point',
    async (t, disk) => {
      const store = await disk.open()
      await store.write([{ key: 'a', value: bytes('1') }], { index: 1, term: 1, digest: digest(1) })
      await store.write([{ key: 'a', value: null }], { index: 2, term: 1, digest: digest(0) })
      await store.write([], { index: 3, term: 1, digest: digest(0) })
      t.same(await all(store), [])
      t.same(await store.readApplied(), { index: 3, term: 1, digest: digest(0) })
      await store.close()
    },
  ],
  [
    'records come by key in code-unit order, whatever the key',
    async (t, disk) => {
      const keys = ['/b', '/a/long', '/a', '\uffff', '\ud83d\ude00', '/a\u0000', 'é', '']
      const store = await disk.open()
      await store.write(
        keys.map((key) => ({ key, value: bytes(key) })),
        { index: 1, term: 1, digest: digest(1) },
      )
      t.same(
        (await all(store)).map(([key]) => key),
        [...keys].sort((a, b) => (a < b ? -1 : 1)),
      )
      await store.close()
    },
  ],
  [
    'clear throws everything away and the store goes on',
    async (t, disk) => {
      const store = await disk.open()
      await store.write([{ key: 'a', value: bytes('1') }], { index: 1, term: 1, digest: digest(1) })
      await store.clear()
      t.equal(await store.readApplied(), null)
      t.same(await all(store), [])
      await store.write([{ key: 'c', value: bytes('3') }], { index: 1, term: 1, digest: digest(3) })
      t.same(await all(store), [['c', '3']])
      await store.close()
    },
  ],
  [
    'what changed since a settled state is told as it stands now, also after reopening',
    async (t, disk) => {
      const store = await disk.open()
      await fill(store)
      t.same(await since(store, 3), null, 'nothing is settled')
      await store.settle(3)
      t.same(await since(store, 3), [], 'nothing has changed')
      await store.write([{ key: 'a', value: bytes('2') }], { index: 5, term: 1, digest: digest(5) })
      await store.write(
        [
          { key: 'a', value: bytes('3') },
          { key: 'b', value: null },
        ],
        { index: 9, term: 1, digest: digest(9) },
      )
      const changed = [
        ['a', '3'],
        ['b', null],
      ]
      t.same(await since(store, 3), changed)
      await store.close()
      const again = await disk.open()
      t.same(await since(again, 3), changed)
      await again.write([{ key: 'd', value: bytes('4') }], {
        ...{ index: 10, term: 1, digest: digest(10) },
      })
      t.same(await since(again, 3), [...changed, ['d', '4']])
      await again.settle(8)
      t.same(await since(again, 8), [...changed, ['d', '4']], 'a write across it is told whole')
      await again.settle(9)
      t.same(await since(again, 9), [['d', '4']])
      await again.close()
    },
  ],
  [
    'what changed since another state is not told',
    async (t, disk) => {
      const store = await disk.open()
      await fill(store)
      await store.settle(3)
      t.same(await since(store, 2), null, 'one that is no longer covered')
      t.same(await since(store, 4), null, 'one that was not settled')
      await store.forgetChanges()
      t.same(await since(store, 3), null, 'one that shall not be told any more')
      await store.settle(3)
      await store.clear()
      t.same(await since(store, 3), null, 'one that was thrown away')
      await store.close()
    },
  ],
]

/** In two writes, as a state store is filled: the applied point does not move between them. */
async function fill(store: StateStore): Promise<void> {
  const applied = { index: 3, term: 1, digest: digest(1) }
  await store.write([{ key: 'a', value: bytes('1') }], applied)
  await store.write([{ key: 'b', value: bytes('1') }], applied)
}

async function since(
  store: StateStore,
  index: number,
): Promise<readonly (readonly [string, string | null])[] | null> {
  const changes = await store.readSince(index)
  if (changes === null) return null
  return changes
    .map(
      ({ key, value }) => [key, value === null ? null : new TextDecoder().decode(value)] as const,
    )
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

async function all(store: StateStore): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = []
  for await (const [key, value] of store.readAll()) {
    found.push([key, new TextDecoder().decode(value)])
  }
  return found
}
