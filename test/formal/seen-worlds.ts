/**
 * Which worlds were seen, by 64 bits of a hash each, in a table that grows: a set of as many strings
 * would not fit. Two different worlds are taken for one with a chance of about worlds^2 / 2^65.
 */
import type { World } from './world.js'

export class SeenWorlds {
  count = 0
  private slots = 1 << 16
  /** Two words a slot; both 0 is an empty one. */
  private table = new Uint32Array(2 * this.slots)

  /** False when it was there already. */
  add(world: World): boolean {
    const low = hashOf(world, 0xcc9e2d51, 0x1b873593) || 1
    const high = hashOf(world, 0x239b961b, 0xab0e9789)
    if (!this.put(low, high)) return false
    this.count += 1
    if (this.count * 2 > this.slots) this.grow()
    return true
  }

  private put(low: number, high: number): boolean {
    let slot = low & (this.slots - 1)
    for (;;) {
      const at = 2 * slot
      if (this.table[at] === low && this.table[at + 1] === high) return false
      if (this.table[at] === 0) {
        this.table[at] = low
        this.table[at + 1] = high
        return true
      }
      slot = (slot + 1) & (this.slots - 1)
    }
  }

  private grow(): void {
    const before = this.table
    this.slots *= 2
    this.table = new Uint32Array(2 * this.slots)
    for (let at = 0; at < before.length; at += 2) {
      const low = before[at] ?? 0
      if (low !== 0) this.put(low, before[at + 1] ?? 0)
    }
  }
}

/** MurmurHash3 (32 bits, by A. Appleby), over whole numbers, with one pair of its multipliers. */
function hashOf(world: World, first: number, second: number): number {
  let hash = 0
  for (const value of world) {
    let mixed = Math.imul(value, first)
    mixed = (mixed << 15) | (mixed >>> 17)
    hash ^= Math.imul(mixed, second)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  hash ^= world.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
