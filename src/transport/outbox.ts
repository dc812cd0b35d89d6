/**
 * What waits for one stream. While the stream takes what it is given, a drain of messages leaves
 * at once as one frame. When it does not, messages queue here, within bounds: a newer heartbeat
 * replaces a queued one, and a queue that grows past its window, or that does not empty within an
 * election timeout, gives the stream up. Nothing else is ever dropped within a stream, so what
 * arrives is a FIFO without holes; after a loss there is a new stream and a new session.
 */
import type { Message } from '../raft/index.js'
import { encodeFrame, type Frame } from '../wire/index.js'
import { cutFrames, messageBytes } from './cut-frames.js'
import {
  queuedBytesMax,
  queuedMessagesMax,
  unflushedBytesMax,
  unflushedFramesMax,
} from './limits.js'

export interface OutboxOptions {
  /** Writes one frame; `flushed` is called when the stream has passed it on. */
  readonly write: (frame: Uint8Array, flushed: () => void) => void
  /** The stream is of no use any more. Called once. */
  readonly stuck: (why: string) => void
  readonly stuckAfterMs: number
}

export class Outbox {
  readonly #options: OutboxOptions
  #queue: Message[] = []
  #queuedBytes = 0
  #unflushedFrames = 0
  #unflushedBytes = 0
  #stuckTimer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  send(messages: readonly Message[]): void {
    if (this.#closed || messages.length === 0) return
    if (this.#queue.length === 0 && this.#streamHasRoom()) {
      this.#writeFrames(messages)
      return
    }
    for (const message of messages) this.#enqueue(message)
    this.#watchQueue()
  }

  /** Stamps of log time: small, rare, and asked for again; dropped while the stream is full. */
  sendApart(frame: Frame): void {
    if (this.#closed || !this.#streamHasRoom()) return
    this.#write(encodeFrame(frame))
  }

  close(): void {
    this.#closed = true
    this.#queue = []
    this.#queuedBytes = 0
    if (this.#stuckTimer !== null) clearTimeout(this.#stuckTimer)
    this.#stuckTimer = null
  }

  get queuedMessages(): number {
    return this.#queue.length
  }

  #streamHasRoom(): boolean {
    return this.#unflushedFrames < unflushedFramesMax && this.#unflushedBytes < unflushedBytesMax
  }

  #writeFrames(messages: readonly Message[]): void {
    for (const part of cutFrames(messages)) {
      this.#write(encodeFrame({ kind: 'messages', messages: part }))
    }
  }

  #write(bytes: Uint8Array): void {
    this.#unflushedFrames += 1
    this.#unflushedBytes += bytes.byteLength
    this.#options.write(bytes, () => {
      this.#unflushedFrames -= 1
      this.#unflushedBytes -= bytes.byteLength
      this.#drain()
    })
  }

  #enqueue(message: Message): void {
    const replaced = this.#queue.findIndex((queued) => replaces(message, queued))
    if (replaced !== -1) {
      const [old] = this.#queue.splice(replaced, 1)
      if (old !== undefined) this.#queuedBytes -= messageBytes(old)
    }
    this.#queue.push(message)
    this.#queuedBytes += messageBytes(message)
  }

  #drain(): void {
    if (this.#closed || this.#queue.length === 0 || !this.#streamHasRoom()) return
    const waiting = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#writeFrames(waiting)
    this.#watchQueue()
  }

  #watchQueue(): void {
    if (this.#queue.length === 0) {
      if (this.#stuckTimer !== null) clearTimeout(this.#stuckTimer)
      this.#stuckTimer = null
      return
    }
    if (this.#queue.length > queuedMessagesMax || this.#queuedBytes > queuedBytesMax) {
      this.#giveUp('its queue is full')
      return
    }
    this.#stuckTimer ??= setTimeout(() => {
      this.#giveUp(`it took nothing for ${String(this.#options.stuckAfterMs)} ms`)
    }, this.#options.stuckAfterMs)
  }

  #giveUp(why: string): void {
    if (this.#closed) return
    this.close()
    this.#options.stuck(why)
  }
}

/** A newer heartbeat says all that the queued one did; so does its reply, in the same session. */
function replaces(newer: Message, queued: Message): boolean {
  if (newer.kind === 'heartbeat') return queued.kind === 'heartbeat' && queued.term <= newer.term
  return (
    newer.kind === 'heartbeatReply' &&
    queued.kind === 'heartbeatReply' &&
    queued.term === newer.term &&
    queued.session === newer.session
  )
}
