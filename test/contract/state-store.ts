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
]

async function all(store: StateStore): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = []
  for await (const [key, value] of store.readAll()) {
    found.push([key, new TextDecoder().decode(value)])
  }
  return found
}
