/**
 * What the cluster says about its members, made true on this node: the leader brings the consensus
 * configuration to what the documents say, and everybody talks to whom they name.
 */
import type { Logger } from 'pino'
import type {
  ConfigurationInForce,
  Event,
  Leadership,
  MembershipOutcome,
  NodeId,
} from '../raft/index.js'
import type { ClusterNodeOptions } from './cluster-node-options.js'
import { Members } from './members.js'
import { MembershipDriver } from './membership-driver.js'
import type { MemberFacts, PeerMember } from './ports.js'

export interface GovernedMembershipParts {
  readonly options: ClusterNodeOptions
  /** This node leads, and its state is not behind the begin of its term. */
  readonly mayAsk: () => boolean
  readonly push: (event: Event) => void
}

export class GovernedMembership {
  readonly #options: ClusterNodeOptions
  readonly #log: Logger
  readonly #members: Members
  readonly #driver: MembershipDriver
  #wasRemoved = false
  /** Null while a leader is known. */
  #leaderlessSinceMs: number | null
  /** Since then so long that those who talk to this node were told. */
  #wasLost = false

  constructor({ options, mayAsk, push }: GovernedMembershipParts) {
    const { machine, raft, log, identity } = options
    this.#options = options
    this.#log = log
    this.#leaderlessSinceMs = options.clock.monotonicMs()
    this.#members = new Members({
      ...options,
      nodeId: identity.nodeId,
      membership: () => machine.membership(),
      configuration: () => raft.status().configuration,
      isLost: () => this.#isLost,
    })
    this.#driver = new MembershipDriver({
      ...options,
      membership: () => machine.membership(),
      status: () => raft.status(),
      mayAsk,
      push,
      refused: (facts) => {
        log.error(facts, 'the governed nodes make no consensus configuration')
      },
    })
  }

  /** The cluster has given this node up, by its own state or by the word of a peer. */
  get isRemoved(): boolean {
    return this.#wasRemoved || this.#members.isRemoved
  }

  /** The configuration in force. */
  facts(): readonly MemberFacts[] {
    return this.#members.facts()
  }

  /** host:port where peers find a member; null when it is not known. */
  addressOf(id: NodeId): string | null {
    return this.#members.addressOf(id)
  }

  /** Time has passed. */
  ticked(): void {
    if (!this.#wasLost && this.#isLost) {
      this.#wasLost = true
      this.tell()
    }
    this.#driver.check()
  }

  /** The applied state may name other members now. */
  applied(): void {
    this.tell()
    this.#driver.check()
  }

  configurationChanged({ configuration, index }: ConfigurationInForce): void {
    this.#log.info({ ...configuration, index }, 'configuration in force')
    this.applied()
  }

  outcome(outcome: MembershipOutcome): void {
    this.#driver.outcome(outcome)
  }

  leadershipChanged({ leader }: Pick<Leadership, 'leader'>): void {
    if (leader === null) {
      this.#leaderlessSinceMs ??= this.#options.clock.monotonicMs()
    } else {
      this.#leaderlessSinceMs = null
      if (this.#wasLost) this.tell()
      this.#wasLost = false
    }
    this.#driver.leadershipChanged()
  }

  /** A node came that is not known here (members.ts). */
  introduced(peer: PeerMember): void {
    this.#members.introduced(peer)
    this.tell()
  }

  /** Two elections could have been held since a leader was heard last. */
  get #isLost(): boolean {
    const { clock, ticks } = this.#options
    if (this.#leaderlessSinceMs === null) return false
    const silentMs = clock.monotonicMs() - this.#leaderlessSinceMs
    return silentMs > 2 * ticks.electionTicksMax * ticks.tickMs
  }

  /** Who is dialled and let in follows the applied state and the configuration in force. */
  tell(): void {
    this.#members.whenChanged((known) => {
      this.#options.peers.setMembers(known)
    })
    if (this.#members.isRemoved) this.removed()
  }

  /** It stays up and says so: a supervisor would only start it again and again. */
  removed(): void {
    if (this.#wasRemoved) return
    this.#wasRemoved = true
    this.#log.warn(
      { code: 'NODE_REMOVED' },
      'this node was removed from the cluster; stop it, its id is not used again',
    )
  }
}
