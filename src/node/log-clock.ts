/**
 * Log time, outside of apply. The leader collects signed stamps of exactly a majority (its own
 * among them) and proposes them as a Tick: at the next deadline, within a second when a start waits
 * for it, at least every ten seconds while something timed is pending, and before the first command
 * after an idle spell. Every node signs
 * stamps for the leader; followers watch that it does not hold time back.
 */
import type { Command, TimedPending } from '../machine/index.js'
import type { Leadership, NodeId } from '../raft/index.js'
import { payloadType, signBody, type Envelope, type Signer } from '../signing/index.js'
import type { Clock } from './ports.js'
import type { Rare } from './rare-sites.js'
import { StampRound } from './stamp-round.js'

/** While something timed is pending, a Tick comes at least this often. */
const tickEveryMs = 10_000
/** Starts that wait for a Tick (a key's age, a deadline) should not keep people waiting. */
const startTickMs = 1000
/** Log time older than this is idle: the next command brings a Tick along. */
const idleAfterMs = 10_000
/** A deadline that a round just missed is tried again after this. */
const roundGapMs = 200
/** A round without enough answers is given up after this; a command waits no longer for it. */
const roundTimeoutMs = 500
/** A Tick that was proposed and not applied for this long is taken for lost. */
const tickLostAfterMs = 2000
/** Time held back for longer than this by the leader is stalling. */
const stallMs = 30_000
/** A stamp serves the Tick at hand only. */
const stampLifeMs = 60_000

/** What log time needs of the state machine. */
export interface TimedMachine {
  readonly logTime: number
  readonly lastTickIndex: number
  timedPending(): TimedPending
  status(): { readonly featureLevel: number }
}

export interface LogClockPorts {
  readonly clock: Clock
  readonly nodeId: NodeId
  readonly clusterId: string
  readonly signer: Signer
  /** Raw public node keys of the voters of the applied state: whose stamps a Tick may carry. */
  readonly nodeKeys: () => ReadonlyMap<NodeId, Uint8Array>
  readonly requestStamp: (to: NodeId, request: { id: number; lastIndex: number }) => void
  readonly sendStamp: (to: NodeId, stamp: { id: number; envelope: Envelope }) => void
  /** Index of the last entry of this node's log. */
  readonly lastIndex: () => number
  /** Everything that is known to be committed has been applied here. */
  readonly isCaughtUp: () => boolean
  readonly machine: TimedMachine
  readonly rare?: Rare
  readonly propose: (tick: Command) => void
  readonly distrustLeader: (why: string) => void
}

export class LogClock {
  readonly #ports: LogClockPorts
  #leadership: Leadership | null = null
  #round: StampRound | null = null
  #lastRoundId = 0
  #roundWaiters: (() => void)[] = []
  #lastRoundAtMs = Number.NEGATIVE_INFINITY
  /** Own clock when a Tick was last applied, or when the wait for one began. */
  #quietSinceMs: number
  #behindSinceMs: number | null = null
  #seenTickIndex = 0
  /** Stamps for the next Tick must be made after this one, so it has to be applied first. */
  #proposed: { readonly afterTickIndex: number; readonly atMs: number } | null = null
  #cancel: () => void = () => undefined
  #stopped = false

  constructor(ports: LogClockPorts) {
    this.#ports = ports
    this.#quietSinceMs = ports.clock.monotonicMs()
  }

  leadershipChanged(leadership: Leadership): void {
    this.#leadership = leadership
    this.#proposed = null
    this.#endRound()
    this.#quietSinceMs = this.#ports.clock.monotonicMs()
    this.#behindSinceMs = null
    this.#arm()
  }

  /** After each portion that was applied. */
  applied(): void {
    const { machine } = this.#ports
    const { lastTickIndex } = machine
    if (lastTickIndex !== this.#seenTickIndex || !machine.timedPending().pending) {
      this.#seenTickIndex = lastTickIndex
      this.#quietSinceMs = this.#ports.clock.monotonicMs()
    }
    this.#arm()
  }

  /** Resolves when a command may be proposed: at once, unless log time is old and we lead. */
  async beforeCommand(): Promise<void> {
    const { logTime } = this.#ports.machine
    if (!this.#leads() || this.#ports.clock.wallMs() - logTime <= idleAfterMs) return
    if (this.#isTickInFlight()) return
    await new Promise<void>((resolve) => {
      this.#roundWaiters.push(resolve)
      this.#startRound()
    })
  }

  stampRequested(from: NodeId, request: { readonly id: number; readonly lastIndex: number }): void {
    // A log that has not reached the last Tick cannot vouch that the stamp was made after it.
    if (this.#stopped || this.#ports.lastIndex() < request.lastIndex) return
    this.#ports.sendStamp(from, { id: request.id, envelope: this.#ownStamp() })
  }

  stampReceived(from: NodeId, stamp: { readonly id: number; readonly envelope: Envelope }): void {
    const round = this.#round
    if (round?.id !== stamp.id || !this.#leads()) return
    if (!round.take(from, stamp.envelope) || !round.isComplete) return
    if (this.#ports.rare?.('log-clock: a round is given up') === true) {
      this.#endRound()
      this.#arm()
    } else {
      this.#finish(round)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
    this.#endRound()
  }

  #leads(): boolean {
    return this.#leadership?.role === 'leader'
  }

  #isTickInFlight(): boolean {
    if (this.#proposed === null) return false
    const { afterTickIndex, atMs } = this.#proposed
    return (
      this.#ports.machine.lastTickIndex === afterTickIndex &&
      this.#ports.clock.monotonicMs() - atMs < tickLostAfterMs
    )
  }

  #startRound(): void {
    if (this.#round !== null || this.#stopped) return
    const { clock, nodeId, clusterId, requestStamp, machine } = this.#ports
    const nodeKeys = this.#ports.nodeKeys()
    const { logTime, lastTickIndex } = machine
    const { featureLevel } = machine.status()
    this.#lastRoundId += 1
    this.#lastRoundAtMs = clock.monotonicMs()
    const others = [...nodeKeys.keys()].filter((id) => id !== nodeId)
    // With the own stamp a majority; a leader that is no voter any more has none that counts.
    const needed = Math.floor(nodeKeys.size / 2) + (nodeKeys.has(nodeId) ? 0 : 1)
    const rules = { clusterId, nodeKeys, featureLevel, logTime, lastTickIndex }
    const round = new StampRound(this.#lastRoundId, needed, rules)
    this.#round = round
    if (round.isComplete) this.#finish(round)
    for (const to of others) requestStamp(to, { id: round.id, lastIndex: lastTickIndex })
    this.#arm()
  }

  #finish(round: StampRound): void {
    const { logTime, lastTickIndex } = this.#ports.machine
    // The own stamp last: it is the freshest, and the smallest one counts.
    if (this.#ports.clock.wallMs() > logTime) {
      this.#proposed = { afterTickIndex: lastTickIndex, atMs: this.#ports.clock.monotonicMs() }
      const own = this.#ports.nodeKeys().has(this.#ports.nodeId) ? [this.#ownStamp()] : []
      this.#ports.propose({ kind: 'tick', stamps: [...own, ...round.stamps()] })
    }
    this.#endRound()
    this.#arm()
  }

  #endRound(): void {
    this.#round = null
    const waiters = this.#roundWaiters
    this.#roundWaiters = []
    for (const resolve of waiters) resolve()
  }

  #ownStamp(): Envelope {
    const { clock, nodeId, clusterId, signer, lastIndex } = this.#ports
    const ms = clock.wallMs()
    return signBody(
      payloadType('stamp'),
      {
        v: 1,
        clusterId,
        node: nodeId,
        keyId: signer.keyId,
        notAfter: ms + stampLifeMs,
        ms,
        lastIndex: lastIndex(),
      },
      signer,
    )
  }

  /** Sets the one timer for whatever is due next. */
  #arm(): void {
    this.#cancel()
    this.#cancel = () => undefined
    if (this.#stopped || this.#leadership === null) return
    const delayMs = this.#leads() ? this.#leaderDelayMs() : this.#followerDelayMs()
    if (delayMs === null) return
    this.#cancel = this.#ports.clock.after(delayMs, () => {
      this.#wake()
    })
  }

  #leaderDelayMs(): number | null {
    const { clock } = this.#ports
    const now = clock.monotonicMs()
    if (this.#round !== null) return Math.max(0, this.#lastRoundAtMs + roundTimeoutMs - now)
    const { machine } = this.#ports
    const pending = machine.timedPending()
    if (!pending.pending) return null
    if (this.#isTickInFlight()) return tickLostAfterMs
    const regularMs = pending.startsWait ? startTickMs : tickEveryMs
    const untilRegular = this.#lastRoundAtMs + regularMs - now
    const untilDeadline =
      pending.next === undefined || pending.next <= machine.logTime
        ? Number.POSITIVE_INFINITY
        : pending.next - clock.wallMs()
    const untilAllowed = this.#lastRoundAtMs + roundGapMs - now
    return Math.max(0, untilAllowed, Math.min(untilRegular, untilDeadline))
  }

  #followerDelayMs(): number | null {
    return this.#ports.machine.timedPending().pending ? tickEveryMs / 2 : null
  }

  #wake(): void {
    if (this.#stopped) return
    if (!this.#leads()) {
      this.#checkStall()
      this.#arm()
      return
    }
    if (this.#round !== null) {
      this.#endRound()
      this.#arm()
    } else {
      this.#startRound()
    }
  }

  #checkStall(): void {
    const { clock, machine, isCaughtUp, distrustLeader } = this.#ports
    const now = clock.monotonicMs()
    if (!machine.timedPending().pending || !isCaughtUp() || this.#leadership?.leader === null) {
      this.#quietSinceMs = now
      this.#behindSinceMs = null
      return
    }
    if (clock.wallMs() - machine.logTime <= stallMs) this.#behindSinceMs = null
    else this.#behindSinceMs ??= now
    const behindMs = this.#behindSinceMs === null ? 0 : now - this.#behindSinceMs
    const quietMs = now - this.#quietSinceMs
    if (quietMs <= stallMs && behindMs <= stallMs) return
    this.#quietSinceMs = now
    this.#behindSinceMs = null
    distrustLeader(
      quietMs > stallMs
        ? 'the leader sends no Tick although a deadline is pending'
        : 'log time stays behind this clock although Ticks come: the leader or this clock is wrong',
    )
  }
}
