/**
 * What is committed, applied: decode, machine, state store, in log order, in portions between which
 * heartbeats pass. What the leader's pre-check found out about a command is not worked out again.
 *
 * Callers and watchers hear of an entry as soon as the machine has applied it. The state store is
 * written behind: it is not synced anyway, and replay makes it again.
 *
 * A snapshot takes its turn in the same queue: what was committed before it is applied before it,
 * what comes after it is applied to its state.
 */
import { CountersignError } from '../errors.js'
import { invariant } from '../invariant.js'
import type { Applied, Machine } from '../machine/index.js'
import {
  decodeConfiguration,
  type ConfigurationInForce,
  type Entry,
  type SnapshotMeta,
} from '../raft/index.js'
import type { Verify } from '../signing/index.js'
import type { SnapshotStore, StateStore, StateWrite } from '../storage/index.js'
import type { Defer } from './inbox.js'
import type { ProposedCommands } from './proposed-commands.js'
import type { Rare } from './rare-sites.js'
import { replaceStore } from './replace-store.js'

/** Entries of one portion: enough to share a batch, few enough not to hold up heartbeats. */
const portionEntriesMax = 64

/** What the loop needs of the state machine. */
export type ApplyingMachine = Pick<Machine, 'apply' | 'skip' | 'replaceState'>

export interface StoredPortion {
  readonly entries: number
  /** Of their payloads. */
  readonly bytes: number
  /** The committed configuration as of the last of them. */
  readonly configuration: ConfigurationInForce
}

export interface ApplyPorts {
  readonly machine: ApplyingMachine
  readonly stateStore: StateStore
  readonly snapshotStore: SnapshotStore
  readonly verify: Verify
  readonly proposed: ProposedCommands
  /** The committed configuration as of what is applied at the start. */
  readonly configuration: ConfigurationInForce
  readonly entryApplied: (entry: Entry, applied: Applied) => void
  /** A portion is applied up to here. */
  readonly portionApplied: (index: number) => void
  /** It is in the state store, which is not written again before this resolves. */
  readonly portionStored: (portion: StoredPortion) => Promise<void>
  /** The state store is about to be emptied; resolves when nobody reads it. */
  readonly restoring: () => Promise<void>
  /** The whole state is now that of this snapshot. */
  readonly restored: (snapshot: SnapshotMeta) => Promise<void>
  readonly defer: Defer
  readonly rare?: Rare
  readonly failed: (thrown: unknown) => void
}

type Item =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'restore'; readonly snapshot: SnapshotMeta }

export class ApplyLoop {
  readonly #ports: ApplyPorts
  #queue: Item[] = []
  #isRunning = false
  #run: Promise<void> = Promise.resolve()
  #stopped = false
  #configuration: ConfigurationInForce

  constructor(ports: ApplyPorts) {
    this.#ports = ports
    this.#configuration = ports.configuration
  }

  add(entries: readonly Entry[]): void {
    if (this.#stopped) return
    // One by one: entries may be too many for the arguments of one call.
    for (const entry of entries) this.#queue.push({ kind: 'entry', entry })
    this.#start()
  }

  /** The snapshot stands in the snapshot store. */
  restore(snapshot: SnapshotMeta): void {
    if (this.#stopped) return
    this.#queue.push({ kind: 'restore', snapshot })
    this.#start()
  }

  /** Takes nothing in any more; resolves when the portion at hand is applied and stored. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#queue = []
    await this.#run
  }

  #start(): void {
    if (this.#isRunning || this.#queue.length === 0) return
    this.#isRunning = true
    this.#run = this.#applyAll()
  }

  async #applyAll(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const [next] = this.#queue
        if (next?.kind === 'restore') {
          this.#queue.shift()
          await this.#restore(next.snapshot)
        } else {
          await this.#applyPortion(this.#takePortion())
        }
      }
    } catch (thrown) {
      this.#stopped = true
      this.#queue = []
      this.#ports.failed(thrown)
    } finally {
      this.#isRunning = false
    }
  }

  #takePortion(): readonly Entry[] {
    const portion: Entry[] = []
    const isSingle = this.#ports.rare?.('apply-loop: a portion is one entry') === true
    const entriesMax = isSingle ? 1 : portionEntriesMax
    for (const item of this.#queue) {
      if (item.kind === 'restore' || portion.length === entriesMax) break
      portion.push(item.entry)
    }
    this.#queue.splice(0, portion.length)
    return portion
  }

  async #applyPortion(portion: readonly Entry[]): Promise<void> {
    const { stateStore, entryApplied, portionApplied, portionStored } = this.#ports
    // A record that several entries of the portion change is written once, as it ends up.
    const writes = new Map<string, StateWrite>()
    let last: { index: number; term: number; digest: string } | null = null
    let bytes = 0
    for (const entry of portion) {
      const { index, term, payload } = entry
      const applied = this.#apply(entry)
      for (const write of applied.writes) writes.set(write.key, write)
      last = { index, term, digest: applied.digest }
      bytes += payload.byteLength
      entryApplied(entry, applied)
    }
    if (last === null) return
    portionApplied(last.index)
    if (this.#ports.rare?.('apply-loop: a portion is stored late') === true) {
      await new Promise<void>((resolve) => {
        this.#ports.defer(resolve)
      })
    }
    await stateStore.write([...writes.values()], last)
    const configuration = this.#configuration
    await portionStored({ entries: portion.length, bytes, configuration })
  }

  #apply({ index, term, kind, payload }: Entry): Applied {
    const { machine, verify, proposed } = this.#ports
    switch (kind) {
      case 'command':
        return machine.apply({ index, term, command: proposed.take(payload) }, verify)
      case 'noop':
        return machine.skip(index, term)
      case 'configuration': {
        const configuration = decodeConfiguration(payload)
        invariant(configuration !== null, 'A committed configuration can be decoded.', { index })
        this.#configuration = { configuration, index }
        return machine.skip(index, term)
      }
    }
  }

  async #restore(snapshot: SnapshotMeta): Promise<void> {
    const { machine, stateStore, snapshotStore, restoring, restored } = this.#ports
    const { index, term } = snapshot
    await restoring()
    const info = snapshotStore.info(index)
    if (info === null) {
      throw new CountersignError(
        'STORE_DAMAGED',
        `The snapshot at ${String(index)}, which was installed, is not in the snapshot store.`,
        { details: { index } },
      )
    }
    const records = []
    for await (const portion of snapshotStore.records(index)) {
      for (const record of portion) records.push(record)
    }
    const digest = info.stateDigest
    machine.replaceState(records, { index, digest })
    this.#configuration = {
      configuration: snapshot.configuration,
      index: snapshot.configurationIndex,
    }
    await replaceStore(stateStore, records, { index, term, digest })
    await restored(snapshot)
  }
}
