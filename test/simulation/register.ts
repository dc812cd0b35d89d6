/** The state machine of the simulation: a few registers. A command sets one to a unique value. */
import type { Entry } from '../../src/raft/index.js'
import type { History } from './history.js'
import type { EntryReader } from './oracles.js'

export interface Write {
  readonly key: number
  /** Unique over the run: who reads it knows which write it saw. */
  readonly value: number
}

export function encodeWrite(write: Write): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setUint32(0, write.key)
  new DataView(bytes.buffer).setUint32(4, write.value)
  return bytes
}

export function decodeWrite(payload: Uint8Array): Write {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  return { key: view.getUint32(0), value: view.getUint32(4) }
}

export type RegisterValues = ReadonlyMap<number, number>

export class Registers {
  private values = new Map<number, number>()
  applied = 0

  apply(entry: Entry): void {
    this.applied = entry.index
    if (entry.kind !== 'command') return
    const { key, value } = decodeWrite(entry.payload)
    this.values.set(key, value)
  }

  copy(): RegisterValues {
    return new Map(this.values)
  }

  restore(values: RegisterValues, applied: number): void {
    this.values = new Map(values)
    this.applied = applied
  }

  /** 0 when the register was never written. */
  get(key: number): number {
    return this.values.get(key) ?? 0
  }

  text(): string {
    return [...this.values]
      .sort(([a], [b]) => a - b)
      .map(([key, value]) => `${String(key)}=${String(value)}`)
      .join(' ')
  }
}

/** What the oracles want to know of the entries: a write goes into the history when committed. */
export function registerReader(history: History): EntryReader {
  return {
    describe: (entry) => {
      if (entry.kind !== 'command') return `${entry.kind} ${String(entry.payload.length)}`
      const { key, value } = decodeWrite(entry.payload)
      return `${String(key)}=${String(value)}`
    },
    committed: (entry) => {
      if (entry.kind === 'command') history.committed(entry.index, decodeWrite(entry.payload).value)
    },
  }
}
