/**
 * Breadth-first search over the real core: every order of timeouts, deliveries, losses, proposals
 * and crashes within the bounds. The actions that lead to a fault are the report. Worlds that were
 * seen are known by 64 bits of a hash: the chance that two different ones are taken for one is about
 * worlds^2 / 2^65.
 */
import { createHash } from 'node:crypto'
import { World, type Action, type Beginning, type Bounds } from './world.js'

export interface SearchResult {
  readonly beginning: string
  readonly worlds: number
  readonly steps: number
  /** Actions of the longest way that was looked at. */
  readonly depth: number
  /** Everything within the bounds was seen. */
  readonly exhausted: boolean
  readonly fault: { readonly message: string; readonly actions: readonly Action[] } | null
}

export interface SearchOptions {
  readonly bounds: Bounds
  readonly beginning: Beginning
  readonly worldsMax: number
  /** Where to start instead of a world of these bounds and beginning: one with a planted fault. */
  readonly first?: World
  readonly progress?: (worlds: number, depth: number) => void
}

/** A world that waits to be looked at, and the way to it. */
interface Seen {
  readonly world: World
  readonly before: Seen | null
  readonly action: Action | null
  readonly depth: number
}

export function search(options: SearchOptions): SearchResult {
  const { bounds, beginning, worldsMax, progress } = options
  const first = options.first ?? new World(bounds, beginning)
  const hashes = new Set<bigint>([hashOf(first)])
  let layer: Seen[] = [{ world: first, before: null, action: null, depth: 0 }]
  let steps = 0
  let depth = 0
  const result = (exhausted: boolean, fault: SearchResult['fault']): SearchResult => ({
    ...{ beginning: beginning.name, worlds: hashes.size, steps, depth, exhausted, fault },
  })
  while (layer.length > 0) {
    const next: Seen[] = []
    for (const seen of layer) {
      if (hashes.size >= worldsMax) return result(false, null)
      for (const action of seen.world.actions()) {
        const world = seen.world.copy()
        steps += 1
        try {
          world.act(action)
        } catch (thrown) {
          const message = thrown instanceof Error ? thrown.message : String(thrown)
          return result(false, { message, actions: [...wayTo(seen), action] })
        }
        const hash = hashOf(world)
        if (hashes.has(hash)) continue
        hashes.add(hash)
        next.push({ world, before: seen, action, depth: seen.depth + 1 })
      }
    }
    depth += 1
    progress?.(hashes.size, depth)
    layer = next
  }
  return result(true, null)
}

function wayTo(seen: Seen): readonly Action[] {
  const way: Action[] = []
  for (let at: Seen | null = seen; at?.action != null; at = at.before) way.push(at.action)
  return way.reverse()
}

function hashOf(world: World): bigint {
  const digest = createHash('sha256').update(world.fingerprint()).digest()
  return digest.readBigUInt64BE(0)
}
