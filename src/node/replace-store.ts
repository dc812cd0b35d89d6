/** Puts the content of a snapshot that is kept in the place of everything that the state store holds. */
import type { AppliedPoint, StateStore } from '../storage/index.js'

const recordsAtOnce = 1024

/** Fits no state: a store with this digest is seen as broken and built again. */
const digestOfNothing = 'ff'.repeat(32)

/**
 * In portions; the true applied point comes with the last one, so that a crash in between leaves a
 * store that the next start throws away.
 */
export async function replaceStore(
  store: StateStore,
  records: readonly (readonly [key: string, value: Uint8Array])[],
  applied: AppliedPoint,
): Promise<void> {
  await store.clear()
  const unfinished = { ...applied, digest: digestOfNothing }
  for (let start = 0; start < records.length; start += recordsAtOnce) {
    const portion = records.slice(start, start + recordsAtOnce)
    const isLast = start + recordsAtOnce >= records.length
    await store.write(
      portion.map(([key, value]) => ({ key, value })),
      isLast ? applied : unfinished,
    )
  }
  await store.settle(applied.index)
}
