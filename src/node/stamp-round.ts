/** One round of collecting signed stamps: this node's own and those of enough others. */
import { decodeBody, type StampBody } from '../approval/index.js'
import { verifyEnvelope, type Envelope } from '../signing/index.js'

export interface StampRules {
  readonly clusterId: string
  /** Raw public node keys of the voters. */
  readonly nodeKeys: ReadonlyMap<string, Uint8Array>
  readonly featureLevel: number
  /** A stamp must exceed log time and be made after the last Tick, else it would be refused. */
  readonly logTime: number
  readonly lastTickIndex: number
}

export class StampRound {
  readonly id: number
  readonly #rules: StampRules
  readonly #needed: number
  readonly #stamps = new Map<string, Envelope>()

  /** `needed`: stamps of others, so that with the own one they are exactly a majority. */
  constructor(id: number, needed: number, rules: StampRules) {
    this.id = id
    this.#needed = needed
    this.#rules = rules
  }

  /** Takes a usable stamp; false for any other, which is as good as none. */
  take(from: string, envelope: Envelope): boolean {
    if (this.isComplete || readStamp(from, envelope, this.#rules) === null) return false
    this.#stamps.set(from, envelope)
    return true
  }

  get isComplete(): boolean {
    return this.#stamps.size >= this.#needed
  }

  /** The stamps of the others, by node. */
  stamps(): readonly Envelope[] {
    return [...this.#stamps.values()]
  }
}

function readStamp(from: string, envelope: Envelope, rules: StampRules): StampBody | null {
  const decoded = decodeBody(envelope, rules.featureLevel)
  if (decoded.kind === 'refused' || decoded.signed.word !== 'stamp') return null
  const stamp = decoded.signed.body
  const publicKey = rules.nodeKeys.get(from)
  const isUsable =
    publicKey !== undefined &&
    stamp.node === from &&
    stamp.clusterId === rules.clusterId &&
    stamp.ms > rules.logTime &&
    stamp.lastIndex >= rules.lastTickIndex &&
    verifyEnvelope(envelope, publicKey)
  return isUsable ? stamp : null
}
