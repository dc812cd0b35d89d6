/**
 * A node whose data directory is damaged: it neither votes nor leads nor serves clients. It says
 * what is damaged, hands what is sound to others that repair, and asks them for the rest until its
 * log is whole. Then it starts as at any other time, in the same process.
 */
import type { Logger } from 'pino'
import { CountersignError } from '../errors.js'
import {
  decodeConfiguration,
  type Configuration,
  type LogIndex,
  type SnapshotMeta,
} from '../raft/index.js'
import type { DamageReport, IndexRange, RepairOutcome, RepairSources } from '../storage/index.js'
import { answerFetch, type HeldLog } from './peer-answers.js'
import type { Clock, PeerEvents, PeerMember, Peers, RepairFacts } from './ports.js'
import { createRepairSources } from './repair-sources.js'

/** Between two rounds in which nobody could help. */
const roundGapMs = 1000

/** What repair needs of storage: handed in by compose.ts. */
export interface RepairStorage {
  repair(report: DamageReport, sources: RepairSources): Promise<RepairOutcome>
  heldLog(report: DamageReport): HeldLog
}

export interface RepairModeOptions {
  readonly report: DamageReport
  readonly storage: RepairStorage
  readonly nodeId: string
  readonly members: readonly PeerMember[]
  /** Genesis, as the snapshot at index 0. */
  readonly founding: SnapshotMeta
  /** Of this mode alone: started and stopped by it. */
  readonly peers: Peers
  readonly clock: Clock
  readonly log: Logger
}

export class RepairMode {
  readonly #options: RepairModeOptions
  #rounds = 0
  #missing: IndexRange | null = null
  #stopped = false
  #wake: () => void = () => undefined

  constructor(options: RepairModeOptions) {
    this.#options = options
  }

  facts(): RepairFacts {
    const { damages } = this.#options.report
    return { damages, missing: this.#missing, rounds: this.#rounds }
  }

  /** Resolves when the data directory is sound again; true unless it was stopped before. */
  async run(): Promise<boolean> {
    const { peers, report, log } = this.#options
    for (const { file, key, problem, range } of report.damages) {
      log.error({ code: 'STORE_DAMAGED', file, key, range }, `${key} ${problem}; repairing`)
    }
    await peers.start(this.#peerEvents())
    try {
      while (!this.#stopped) if (await this.#round()) return true
      return false
    } finally {
      await peers.stop()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  async #round(): Promise<boolean> {
    const { report, storage, log, clock } = this.#options
    this.#rounds += 1
    const outcome = await storage.repair(report, this.#sources())
    if (outcome.kind === 'repaired') {
      const { fetched, dropped, snapshot } = outcome
      log.warn({ fetched, dropped, snapshot: snapshot?.index ?? null }, 'repaired')
      return true
    }
    if (this.#rounds === 1) log.warn({ missing: outcome.missing }, 'nobody can help yet')
    this.#missing = outcome.missing
    await new Promise<void>((resolve) => {
      const cancel = clock.after(roundGapMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    return false
  }

  #sources(): RepairSources {
    const { peers, members, nodeId, report, founding, log } = this.#options
    const others = members.map(({ id }) => id).filter((id) => id !== nodeId)
    return createRepairSources({
      peers,
      nodeId,
      others,
      configurationBefore: (index) => configurationBefore(report, founding, index),
      clusterId: report.identity.clusterId,
      noHelp: (peer, { code, message }) => {
        log.debug({ peer, code, reason: message }, 'no help for the repair')
      },
    })
  }

  /** Others may repair from here; everything else waits until the log is whole. */
  #peerEvents(): PeerEvents {
    const { report, storage } = this.#options
    const log = storage.heldLog(report)
    const nothing = (): void => undefined
    return {
      messages: nothing,
      connected: nothing,
      introduced: nothing,
      disconnected: nothing,
      refused: nothing,
      stampRequested: nothing,
      stampReceived: nothing,
      removedBy: nothing,
      transferAsked: () => Promise.reject(repairing()),
      fetched: (_from, wanted) => answerFetch(wanted, { snapshots: report.snapshots, log }),
    }
  }
}

function repairing(): CountersignError {
  return new CountersignError('NODE_STARTING', 'This node repairs its log and leads nothing.')
}

/**
 * From the newest snapshot, or genesis, and the sound entries up to `index`; null when one lacks, or
 * is not known as committed.
 */
function configurationBefore(
  { snapshots, remains, sound }: DamageReport,
  founding: SnapshotMeta,
  index: LogIndex,
): Configuration | null {
  const base = snapshots.latest() ?? founding
  if (base.index >= index) return null
  const isKnown =
    base.index + 1 === index ||
    sound.some(({ from, to }) => from <= base.index + 1 && to >= index - 1)
  if (!isKnown) return null
  let { configuration } = base
  for (let at = base.index + 1; at < index; at += 1) {
    const entry = remains.entries.get(at)?.entry
    if (entry?.kind !== 'configuration') continue
    // Not known as committed: a leader that it leaves out may still be at work.
    if (at > remains.commit) return null
    const decoded = decodeConfiguration(entry.payload)
    if (decoded === null) return null
    configuration = decoded
  }
  return configuration
}
