/** How far back in time the kept log reaches: entries carry no time, the stamps of Ticks do. */
import { decodeBody } from '../approval/index.js'
import { logIndex, type Raft } from '../raft/index.js'
import { decodeCommand } from '../wire/index.js'
import { featureLevelMax } from '../machine/index.js'

/** A Tick further from the beginning says little about it, and looking costs. */
const entriesLookedAt = 256
const bytesLookedAt = 256 * 1024

export class OldestTick {
  readonly #raft: Pick<Raft, 'status' | 'durableEntries'>
  #lookedAt = ''
  #ms: number | null = null

  constructor(raft: Pick<Raft, 'status' | 'durableEntries'>) {
    this.#raft = raft
  }

  /** Milliseconds since the epoch; null when no Tick is near the beginning of the kept log. */
  ms(): number | null {
    const { firstIndex, durableIndex } = this.#raft.status()
    const last = Math.min(durableIndex, firstIndex + entriesLookedAt - 1)
    const range = `${String(firstIndex)}-${this.#ms === null ? String(last) : ''}`
    if (range === this.#lookedAt) return this.#ms
    this.#ms = this.#find(firstIndex)
    this.#lookedAt = `${String(firstIndex)}-${this.#ms === null ? String(last) : ''}`
    return this.#ms
  }

  #find(firstIndex: number): number | null {
    const entries = this.#raft.durableEntries(logIndex(firstIndex), bytesLookedAt)
    for (const { kind, payload } of entries.slice(0, entriesLookedAt)) {
      const command = kind === 'command' ? decodeCommand(payload) : null
      if (command?.kind !== 'tick') continue
      const times = command.stamps.flatMap((stamp) => {
        const decoded = decodeBody(stamp, featureLevelMax)
        return decoded.kind === 'ok' && decoded.signed.word === 'stamp'
          ? [decoded.signed.body.ms]
          : []
      })
      if (times.length > 0) return Math.min(...times)
    }
    return null
  }
}
