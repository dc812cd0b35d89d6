/**
 * Where to ask. The last leader known is asked first; NOT_LEADER names another one; without a hint
 * the next address is tried. A hint of a lower term than one seen already is old news, and a hint to
 * a node that has just not answered waits until the addresses have been gone through.
 */
import type { CountersignError } from '../errors.js'
import { splitAddress } from './connections.js'

export class LeaderSearch {
  readonly #addresses: readonly string[]
  #next: number
  #leader: { readonly address: string; readonly term: number } | null = null
  #highestTerm = 0
  /** Address to the highest term seen when it did not answer. */
  readonly #silent = new Map<string, number>()

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses
    this.#next = 0
  }

  get leader(): string | null {
    return this.#leader?.address ?? null
  }

  /** The leader, as far as known; else the next address. */
  forLeader(): string {
    return this.#leader?.address ?? this.rotate()
  }

  /** Some node: the one that answers now, if any, to keep to one connection. */
  forAny(): string {
    return this.#leader?.address ?? this.#addresses[this.#next % this.#addresses.length] ?? ''
  }

  /** The next address of the list, round and round. */
  rotate(): string {
    const address = this.#addresses[this.#next % this.#addresses.length] ?? ''
    this.#next = (this.#next + 1) % this.#addresses.length
    return address
  }

  answered(address: string): void {
    this.#silent.delete(address)
  }

  answeredAsLeader(address: string): void {
    this.answered(address)
    if (this.#leader?.address === address) return
    this.#leader = { address, term: this.#highestTerm }
  }

  /** True when there is a new hint to follow at once. */
  notLeader(address: string, refused: CountersignError): boolean {
    this.answered(address)
    const { term, clientAddress } = refused.details
    const hintTerm = typeof term === 'number' && Number.isSafeInteger(term) ? term : 0
    if (this.#leader?.address === address) this.#leader = null
    if (typeof clientAddress !== 'string' || clientAddress === address) {
      this.#highestTerm = Math.max(this.#highestTerm, hintTerm)
      return false
    }
    return this.hinted(clientAddress, hintTerm)
  }

  /** A node says who leads. True when that is news, and somebody who may be asked at once. */
  hinted(address: string, term: number): boolean {
    if (term < this.#highestTerm) return false
    this.#highestTerm = term
    if (!isAddress(address) || address === this.#leader?.address) return false
    if ((this.#silent.get(address) ?? -1) >= term) return false
    this.#leader = { address, term }
    return true
  }

  failed(address: string): void {
    this.#silent.set(address, this.#highestTerm)
    if (this.#leader?.address === address) this.#leader = null
    if (this.#addresses[this.#next % this.#addresses.length] === address) this.rotate()
  }

  get addresses(): readonly string[] {
    return this.#addresses
  }
}

function isAddress(text: string): boolean {
  try {
    splitAddress(text)
    return text.length <= 512
  } catch {
    return false
  }
}
