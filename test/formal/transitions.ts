/**
 * What each node does in each of its states, found out once: the real core is stepped for a state
 * and a stimulus that were not met before, and the outcome is kept as numbers. A search meets the
 * same state of one node in many worlds, so this is what makes it fast.
 */
import type { Entry, Message, NodeId } from '../../src/raft/index.js'
import { placeOf, type Names } from './names.js'
import { Orbits } from './orbits.js'
import { act, type Moment, type Outcome, type Replica, type Stimulus } from './replica.js'

/** Of one step; replicas, messages, logs and entries by number. */
export interface Transition {
  readonly replica: number
  readonly sent: readonly number[]
  readonly moments: readonly {
    readonly applied: readonly (readonly [index: number, entry: number])[]
    readonly leads: number | null
    readonly log: number
  }[]
  /** An invariant of the core is broken: this is how the way ends. */
  readonly broken: string | null
}

/** What decides which steps a replica may take. */
export interface ReplicaView {
  readonly leads: boolean
  readonly term: number
  readonly lastIndex: number
  readonly log: number
}

const stimuli = ['timeout', 'heartbeat', 'propose', 'restart'] as const
export type OwnStimulus = (typeof stimuli)[number]

export class Transitions {
  readonly replicas: Orbits<Replica>
  readonly messages: Orbits<Message>
  /** Steps that the real core took. */
  coreSteps = 0
  private readonly names: Names
  /** What a network does to messages; the true one does nothing. */
  private readonly distort: (message: Message) => Message
  private readonly known = new Map<number, Map<number, Transition>>()
  private readonly renamedOnes = new Map<number, Map<number, Transition>>()
  private readonly views: ReplicaView[] = []
  private readonly receivers: number[] = []
  private readonly entryNumbers = new Map<string, number>()
  private readonly logNumbers = new Map<string, number>()
  private readonly logs: (readonly number[])[] = []
  private readonly termsOfEntries: number[] = []

  constructor(names: Names, distort: (message: Message) => Message) {
    this.names = names
    this.distort = distort
    this.replicas = new Orbits(names)
    this.messages = new Orbits(names)
  }

  /** Of a replica by itself. */
  own(replica: number, kind: OwnStimulus, crash: boolean): Transition {
    return this.transition(replica, stimuli.indexOf(kind), crash)
  }

  delivery(replica: number, message: number, crash: boolean): Transition {
    return this.transition(replica, stimuli.length + message, crash)
  }

  view(replica: number): ReplicaView {
    const known = this.views[replica]
    if (known !== undefined) return known
    const { raft, log } = this.replicas.kept(replica).value
    const { role, term, lastIndex } = raft.facts()
    const view = { leads: role === 'leader', term, lastIndex, log: this.logOf(log) }
    this.views[replica] = view
    return view
  }

  /** The place of the node that a message is for. */
  receiver(message: number): number {
    const known = this.receivers[message]
    if (known !== undefined) return known
    const place = placeOf(this.messageOf(message).to)
    this.receivers[message] = place
    return place
  }

  messageOf(message: number): Message {
    const { value, naming } = this.messages.kept(message)
    return this.renamedMessage(value, naming)
  }

  /** The entries of a log, by number, from index 1. */
  entriesOf(log: number): readonly number[] {
    return this.logs[log] ?? []
  }

  termOf(entry: number): number {
    return this.termsOfEntries[entry] ?? 0
  }

  private transition(replica: number, stimulus: number, crash: boolean): Transition {
    const code = stimulus * 2 + Number(crash)
    const ofReplica = innerMap(this.renamedOnes, replica)
    let transition = ofReplica.get(code)
    if (transition === undefined) {
      transition = this.asNamed(replica, stimulus, crash)
      ofReplica.set(code, transition)
    }
    return transition
  }

  /** The kept one of the family takes the step, with its names, and the outcome is named back. */
  private asNamed(replica: number, stimulus: number, crash: boolean): Transition {
    const { value, naming } = this.replicas.kept(replica)
    const back = this.names.inverse(naming)
    const isDelivery = stimulus >= stimuli.length
    const kept = isDelivery
      ? stimuli.length + this.messages.renamed(stimulus - stimuli.length, back)
      : stimulus
    const family = this.replicas.familyOf(replica)
    const ofFamily = innerMap(this.known, family)
    const code = kept * 2 + Number(crash)
    let transition = ofFamily.get(code)
    if (transition === undefined) {
      transition = this.taken(value, kept, crash)
      ofFamily.set(code, transition)
    }
    if (naming === 0 || transition.broken !== null) return transition
    return {
      ...transition,
      replica: this.replicas.renamed(transition.replica, naming),
      sent: transition.sent.map((message) => this.messages.renamed(message, naming)),
    }
  }

  private taken(replica: Replica, stimulus: number, crash: boolean): Transition {
    this.coreSteps += 1
    let outcome: Outcome
    try {
      outcome = act(replica, this.stimulusOf(stimulus), crash)
    } catch (thrown) {
      const broken = thrown instanceof Error ? thrown.message : String(thrown)
      return { replica: 0, sent: [], moments: [], broken }
    }
    return {
      replica: this.replicas.numberOf(outcome.replica),
      sent: outcome.sent.map((message) => this.messages.numberOf(this.distort(message))),
      moments: outcome.moments.map((moment) => this.judged(moment)),
      broken: null,
    }
  }

  private stimulusOf(stimulus: number): Stimulus {
    const kind = stimuli[stimulus]
    if (kind !== undefined) return { kind }
    return { kind: 'deliver', message: this.messageOf(stimulus - stimuli.length) }
  }

  private judged({ applied, leads, log }: Moment): Transition['moments'][number] {
    return {
      applied: applied.map((entry) => [entry.index, this.entryOf(entry)] as const),
      leads,
      log: this.logOf(log),
    }
  }

  private entryOf(entry: Entry): number {
    const text = `${String(entry.term)} ${entry.kind} ${entry.payload.join('.')}`
    const known = this.entryNumbers.get(text)
    if (known !== undefined) return known
    const number = this.termsOfEntries.length
    this.entryNumbers.set(text, number)
    this.termsOfEntries.push(entry.term)
    return number
  }

  private logOf(log: readonly Entry[]): number {
    const entries = log.map((entry) => this.entryOf(entry))
    const text = entries.join()
    const known = this.logNumbers.get(text)
    if (known !== undefined) return known
    const number = this.logs.length
    this.logNumbers.set(text, number)
    this.logs.push(entries)
    return number
  }

  private renamedMessage(message: Message, naming: number): Message {
    const renamed = (id: NodeId) => this.names.renamed(id, naming)
    return { ...message, from: renamed(message.from), to: renamed(message.to) }
  }
}

function innerMap(
  outer: Map<number, Map<number, Transition>>,
  key: number,
): Map<number, Transition> {
  const known = outer.get(key)
  if (known !== undefined) return known
  const made = new Map<number, Transition>()
  outer.set(key, made)
  return made
}
