/**
 * The page's live view: Server-Sent Events. One snapshot is made for all listeners, soon after
 * something was applied and at least once a second, so that silence means a node that is gone.
 * A listener that does not read gets the next snapshot when it has taken the last one, never a
 * queue; one that takes nothing for long is cut.
 */
import type { ServerResponse } from 'node:http'
import { CountersignError } from '../errors.js'
import { liveListenersMax, liveStuckAfterMs } from './limits.js'

export interface LiveOptions {
  /** The text of one snapshot, JSON in one line. */
  readonly snapshot: () => Promise<string>
  readonly listenersMax?: number
  readonly intervalMs?: number
  /** After something was applied: time to gather what comes with it. */
  readonly gatherMs?: number
  readonly stuckAfterMs?: number
}

interface Listener {
  readonly response: ServerResponse
  /** Null while the listener takes what it is given; else since when it does not. */
  stuckSinceMs: number | null
}

export class Live {
  readonly #options: Required<LiveOptions>
  readonly #listeners = new Set<Listener>()
  #interval: NodeJS.Timeout | null = null
  #gathering: NodeJS.Timeout | null = null
  #making = false

  constructor(options: LiveOptions) {
    this.#options = {
      listenersMax: liveListenersMax,
      intervalMs: 1000,
      gatherMs: 200,
      stuckAfterMs: liveStuckAfterMs,
      ...options,
    }
  }

  /** Something was applied. Costs nothing while nobody listens. */
  changed(): void {
    if (this.#listeners.size === 0 || this.#gathering !== null) return
    this.#gathering = setTimeout(() => {
      this.#gathering = null
      void this.#send()
    }, this.#options.gatherMs)
  }

  /** Throws BUSY when there are enough listeners. */
  refuseWhenFull(): void {
    if (this.#listeners.size < this.#options.listenersMax) return
    const message = `There are ${String(this.#options.listenersMax)} live listeners already.`
    throw new CountersignError('BUSY', message)
  }

  /** Takes over an answer that has no head yet. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const listener: Listener = { response, stuckSinceMs: null }
    response.on('drain', () => {
      listener.stuckSinceMs = null
    })
    response.on('error', () => response.destroy())
    response.once('close', () => {
      this.#remove(listener)
    })
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8' })
    // Browsers come back by themselves after this time.
    response.write('retry: 1000\n\n')
    this.#listeners.add(listener)
    this.#interval ??= setInterval(() => {
      void this.#send()
    }, this.#options.intervalMs)
    void this.#send()
  }

  get listeners(): number {
    return this.#listeners.size
  }

  close(): void {
    for (const listener of this.#listeners) {
      listener.response.end()
      this.#remove(listener)
    }
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    if (this.#interval !== null) clearInterval(this.#interval)
    if (this.#gathering !== null) clearTimeout(this.#gathering)
    this.#interval = null
    this.#gathering = null
  }

  async #send(): Promise<void> {
    if (this.#making) return
    this.#making = true
    let event: string
    try {
      event = `event: snapshot\ndata: ${await this.#options.snapshot()}\n\n`
    } catch (error) {
      const { code, message } = CountersignError.from(error)
      event = `event: trouble\ndata: ${JSON.stringify({ code, message })}\n\n`
    }
    this.#making = false
    for (const listener of this.#listeners) this.#give(listener, event)
  }

  #give(listener: Listener, event: string): void {
    const nowMs = performance.now()
    if (listener.stuckSinceMs !== null) {
      if (nowMs - listener.stuckSinceMs > this.#options.stuckAfterMs) listener.response.destroy()
      return
    }
    if (!listener.response.write(event)) listener.stuckSinceMs = nowMs
  }
}
