/**
 * Makes the consensus configuration what the governed documents say (`/sys/nodes`). Only a leader
 * that has applied everything that was committed before its term asks for changes; the core refuses
 * what must wait, and the driver asks again when something has happened since.
 */
import type { Membership } from '../machine/index.js'
import type { Configuration, Event, LogIndex, MembershipOutcome, NodeId } from '../raft/index.js'
import type { Rare } from './rare-sites.js'

export interface MembershipDriverPorts {
  readonly membership: () => Membership
  readonly status: () => {
    readonly configuration: Configuration
    readonly configurationIndex: LogIndex
    readonly configurationCommitted: boolean
  }
  /** This node leads, and its state is not behind the begin of its term. */
  readonly mayAsk: () => boolean
  readonly push: (event: Event) => void
  readonly rare?: Rare
  readonly refused: (facts: Readonly<Record<string, unknown>>) => void
}

interface Wanted {
  readonly voters: readonly NodeId[]
  readonly learners: readonly NodeId[]
}

export class MembershipDriver {
  readonly #ports: MembershipDriverPorts
  #lastId = 0
  #asked: number | null = null
  /** Revision and configuration index that were found to agree. */
  #agreed = ''

  constructor(ports: MembershipDriverPorts) {
    this.#ports = ports
  }

  /** Cheap when nothing has changed: called after every portion and on every tick. */
  check(): void {
    const { membership, status, mayAsk, push, rare } = this.#ports
    if (this.#asked !== null || !mayAsk()) return
    const governed = membership()
    const { configuration, configurationIndex: basedOn, configurationCommitted } = status()
    const seen = `${String(governed.revision)} ${String(basedOn)}`
    if (this.#agreed === seen) return
    if (!configurationCommitted || configuration.outgoing.length > 0) return
    const wanted = wantedOf(governed)
    if (isSame(wanted, goalOf(configuration))) {
      this.#agreed = seen
      return
    }
    if (rare?.('membership-driver: a change waits for a later check') === true) return
    this.#lastId += 1
    this.#asked = this.#lastId
    const event = { kind: 'changeMembership', id: this.#lastId, basedOn, ...wanted } as const
    push(event)
    if (rare?.('membership-driver: a change is asked for twice') === true) push(event)
  }

  outcome(outcome: MembershipOutcome): void {
    if (outcome.id !== this.#asked) return
    this.#asked = null
    if (outcome.kind === 'appended' || outcome.code !== 'INVALID') return
    const { revision } = this.#ports.membership()
    this.#agreed = `${String(revision)} ${String(this.#ports.status().configurationIndex)}`
    this.#ports.refused({ revision, code: outcome.code })
  }

  /** What was asked of an earlier term is answered nowhere any more. */
  leadershipChanged(): void {
    this.#asked = null
  }
}

function wantedOf({ nodes }: Membership): Wanted {
  const ids = (role: 'voter' | 'learner'): readonly NodeId[] =>
    nodes
      .filter((node) => node.role === role)
      .map(({ id }) => id)
      .sort()
  return { voters: ids('voter'), learners: ids('learner') }
}

/** Where the configuration is on its way to: newcomers catch up as learners first. */
function goalOf({ voters, learners, target }: Configuration): Wanted {
  if (target === null) return { voters, learners }
  return { voters: target, learners: learners.filter((id) => !target.includes(id)) }
}

function isSame(a: Wanted, b: Wanted): boolean {
  return a.voters.join() === b.voters.join() && a.learners.join() === b.learners.join()
}
