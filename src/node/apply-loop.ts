/**
 * What is committed, applied: decode, machine, state store, in log order, in portions between which
 * heartbeats pass. Where a signature was looked at before (the leader's pre-check), `verify`
 * remembers the answer; asked first or again, it is the same on every node.
 *
 * Callers and watchers hear of an entry as soon as the machine has applied it. The state store is
 * written behind: it is not synced anyway, and replay makes it again.
 */
import type { Applied, Machine } from '../machine/index.js'
import type { Entry } from '../raft/index.js'
import type { Verify } from '../signing/index.js'
import type { StateStore, StateWrite } from '../storage/index.js'
import { decodeCommand } from '../wire/index.js'

/** Entries of one portion: enough to share a batch, few enough not to hold up heartbeats. */
const portionEntriesMax = 64

/** What the loop needs of the state machine. */
export type ApplyingMachine = Pick<Machine, 'apply' | 'skip'>

export interface ApplyPorts {
  readonly machine: ApplyingMachine
  readonly stateStore: StateStore
  readonly verify: Verify
  readonly entryApplied: (entry: Entry, applied: Applied) => void
  /** A portion is applied up to here. */
  readonly portionApplied: (index: number) => void
  readonly failed: (thrown: unknown) => void
}

export class ApplyLoop {
  readonly #ports: ApplyPorts
  #queue: Entry[] = []
  #isRunning = false
  #run: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(ports: ApplyPorts) {
    this.#ports = ports
  }

  add(entries: readonly Entry[]): void {
    if (this.#stopped) return
    // One by one: entries may be too many for the arguments of one call.
    for (const entry of entries) this.#queue.push(entry)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#run = this.#applyAll()
  }

  /** Takes nothing in any more; resolves when the portion at hand is applied and stored. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#queue = []
    await this.#run
  }

  async #applyAll(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const portion = this.#queue.splice(0, portionEntriesMax)
        await this.#applyPortion(portion)
      }
    } catch (thrown) {
      this.#stopped = true
      this.#queue = []
      this.#ports.failed(thrown)
    } finally {
      this.#isRunning = false
    }
  }

  async #applyPortion(portion: readonly Entry[]): Promise<void> {
    const { machine, stateStore, verify, entryApplied, portionApplied } = this.#ports
    // A record that several entries of the portion change is written once, as it ends up.
    const writes = new Map<string, StateWrite>()
    let last: { index: number; term: number; digest: string } | null = null
    for (const entry of portion) {
      const { index, term, kind, payload } = entry
      const applied =
        kind === 'noop'
          ? machine.skip(index, term)
          : machine.apply({ index, term, command: decodeCommand(payload) }, verify)
      for (const write of applied.writes) writes.set(write.key, write)
      last = { index, term, digest: applied.digest }
      entryApplied(entry, applied)
    }
    if (last === null) return
    portionApplied(last.index)
    await stateStore.write([...writes.values()], last)
  }
}
