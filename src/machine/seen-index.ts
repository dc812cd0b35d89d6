import type { Hex32, Ms } from '../approval/index.js'
import type { SeenRow } from './records.js'
import type { Table } from './table.js'

const bucketMs = 60_000

/** Message digests by the minute of their `notAfter`, so that a Tick forgets without a scan. */
export class SeenIndex {
  private readonly buckets = new Map<number, Set<Hex32>>()
  private readonly table: Table<SeenRow>

  constructor(table: Table<SeenRow>) {
    this.table = table
    table.listen((digest, before, after) => {
      if (before !== undefined) this.remove(digest, before.notAfter)
      if (after !== undefined) this.add(digest, after.notAfter)
    })
  }

  /** Digests whose `notAfter` lies before `now`, given that none did at `previous`. */
  expired(previous: Ms, now: Ms): readonly Hex32[] {
    const first = Math.floor(previous / bucketMs)
    const last = Math.floor(now / bucketMs)
    const expired: Hex32[] = []
    const collect = (digests: Iterable<Hex32>): void => {
      for (const digest of digests) {
        if ((this.table.get(digest)?.notAfter ?? now) < now) expired.push(digest)
      }
    }
    if (last - first > this.buckets.size) {
      for (const [bucket, digests] of this.buckets) if (bucket <= last) collect(digests)
    } else {
      for (let bucket = first; bucket <= last; bucket++) collect(this.buckets.get(bucket) ?? [])
    }
    return expired
  }

  private add(digest: Hex32, notAfter: Ms): void {
    const bucket = Math.floor(notAfter / bucketMs)
    const digests = this.buckets.get(bucket)
    if (digests === undefined) this.buckets.set(bucket, new Set([digest]))
    else digests.add(digest)
  }

  private remove(digest: Hex32, notAfter: Ms): void {
    const bucket = Math.floor(notAfter / bucketMs)
    const digests = this.buckets.get(bucket)
    digests?.delete(digest)
    if (digests?.size === 0) this.buckets.delete(bucket)
  }
}
