/**
 * One inbox, one loop. Everything that happens to the node becomes an event here; a drain takes all
 * that has gathered, so that what arrives together is written and sent together.
 */

/** Calls back soon, never within the call: setImmediate, or a simulator's own queue. */
export type Defer = (callback: () => void) => void

export class Inbox<Event> {
  readonly #defer: Defer
  readonly #drain: (events: readonly Event[]) => void
  #waiting: Event[] = []
  #scheduled = false
  #closed = false

  constructor(defer: Defer, drain: (events: readonly Event[]) => void) {
    this.#defer = defer
    this.#drain = drain
  }

  push(event: Event): void {
    if (this.#closed) return
    this.#waiting.push(event)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#defer(() => {
      this.#run()
    })
  }

  /** Nothing is taken in or drained any more. */
  close(): void {
    this.#closed = true
    this.#waiting = []
  }

  #run(): void {
    this.#scheduled = false
    if (this.#closed) return
    const events = this.#waiting
    this.#waiting = []
    this.#drain(events)
  }
}
