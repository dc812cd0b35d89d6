/** Messages on their way. Nothing arrives by itself; a scenario delivers, loses, holds and repeats. */
import type { Message, NodeId } from '../../../src/raft/index.js'
import type { Link } from '../language/words.js'

export type MessageKind = Message['kind']

/** Null means any. */
export interface MessageFilter {
  readonly link: Link
  readonly kind: MessageKind | null
}

export function passes(filter: MessageFilter, message: Message): boolean {
  const { link, kind } = filter
  return (
    (link.from === null || link.from === message.from) &&
    (link.to === null || link.to === message.to) &&
    (kind === null || kind === message.kind)
  )
}

export class Wire {
  /** Sent and neither delivered nor lost, in order. */
  waiting: Message[] = []
  /** Everything sent since the count was last reset. */
  sent: Message[] = []
  /** Copies that a scenario put aside. */
  readonly kept = new Map<string, Message>()
  private readonly latestSession = new Map<string, number>()
  private cuts: Link[] = []
  private holds: MessageFilter[] = []

  post(messages: readonly Message[]): void {
    for (const message of messages) {
      this.sent.push(message)
      if (!this.isCut(message)) this.waiting.push(message)
      if ('session' in message && message.kind !== 'appendReply') {
        if (message.kind !== 'heartbeatReply') {
          this.latestSession.set(`${message.from}->${message.to}`, message.session)
        }
      }
    }
  }

  /** The replication session that `leader` uses towards `follower`; 1 when it has sent nothing. */
  sessionOf(leader: NodeId, follower: NodeId): number {
    return this.latestSession.get(`${leader}->${follower}`) ?? 1
  }

  cut(link: Link): void {
    this.cuts.push(link)
  }

  /** Repairs these links; all of them when null. */
  heal(link: Link | null): void {
    this.cuts =
      link === null ? [] : this.cuts.filter((cut) => cut.from !== link.from || cut.to !== link.to)
  }

  hold(filter: MessageFilter): void {
    this.holds.push(filter)
  }

  release(): void {
    this.holds = []
  }

  isCut(message: Message): boolean {
    return this.cuts.some((link) => passes({ link, kind: null }, message))
  }

  isHeld(message: Message): boolean {
    return this.holds.some((filter) => passes(filter, message))
  }

  lose(filter: MessageFilter): number {
    const before = this.waiting.length
    this.waiting = this.waiting.filter((message) => !passes(filter, message))
    return before - this.waiting.length
  }

  /** The next message that may arrive; what is cut off is lost on the way. */
  takeNext(mayArrive: (message: Message) => boolean): Message | null {
    this.waiting = this.waiting.filter((message) => !this.isCut(message))
    const position = this.waiting.findIndex(mayArrive)
    if (position < 0) return null
    return this.waiting.splice(position, 1)[0] ?? null
  }
}
