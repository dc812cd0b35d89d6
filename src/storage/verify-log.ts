/** Looks for rot in a log that is in use: digests and chain of a range, as the disk has them now. */
import type { BinaryLevel } from './disk.js'
import { damaged, openFailure } from './failure.js'
import { entryKey } from './keys.js'
import { chainAfter, decodeEntry, type ChainPoint } from './record.js'

/** The first damage of the entries from `from` to `to`, as STORE_DAMAGED; null when there is none. */
export async function findDamage(range: {
  readonly db: BinaryLevel
  readonly file: string
  /** The position before `from`. */
  readonly before: () => Promise<ChainPoint>
  readonly from: number
  readonly to: number
}): Promise<Error | null> {
  const { db, file, before, from, to } = range
  try {
    let { chain } = await before()
    for (let index = from; index <= to; index += 1) {
      // The declared type leaves out what a missing key gives.
      const value: Buffer | undefined = await db.get(entryKey(index), { fillCache: false })
      const decoded = value === undefined ? null : decodeEntry(index, value)
      const key = `entry ${String(index)}`
      if (decoded?.kind !== 'ok') return damaged(file, key, decoded?.why ?? 'is missing')
      if (!chainAfter(chain, decoded.digest).equals(decoded.chain)) {
        return damaged(file, key, 'does not continue the chain')
      }
      chain = decoded.chain
    }
    return null
  } catch (thrown) {
    return openFailure(file, thrown)
  }
}
