/**
 * One watch. The node pushes, the caller pulls; between them is a queue with a bound. When it is
 * full the watch lets go of the node and takes hold again after the last queued revision once there
 * is room: nothing is lost, nothing grows. A caller that reads nothing for long is cut; it may
 * resume after the last revision that it has.
 */
import type { ServerWritableStream } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodePort, WatchBatch, WatchRequest, WatchSubscription } from '../node/ports.js'
import { configMethods, type WatchResponse } from '../wire/index.js'
import { failStream, toBuffer } from './handlers.js'
import type { ApiLimits } from './limits.js'

/** Bytes that wait in the queues of all watches of a server. */
export interface QueueBudget {
  bytes: number
  readonly bytesMax: number
}

/** Time for the status of a cut watch to leave, before its connection is closed. */
const lastWordMs = 5_000

export class WatchStream {
  readonly #call: ServerWritableStream<Buffer, Buffer>
  readonly #node: NodePort
  readonly #prefix: string
  readonly #limits: ApiLimits
  readonly #budget: QueueBudget
  readonly #closed: (why: 'ended' | 'stalled') => void
  readonly #cut: (peer: string) => void
  readonly #peer: string
  #queue: Buffer[] = []
  #queuedBytes = 0
  #isWriting = false
  #isOver = false
  #subscription: WatchSubscription | null = null
  /** Everything up to here is queued or sent. */
  #completeRevision: number
  /** Changes of the next revision that are queued or sent already, when it has several. */
  readonly #ofNextRevision = new Set<string>()
  /** Kept back until it is known whether another activation of its revision follows. */
  #held: WatchBatch | null = null
  #toldRevision: number
  #lastReadMs = performance.now()
  #notReadyTicks = 0

  constructor(
    call: ServerWritableStream<Buffer, Buffer>,
    options: {
      readonly node: NodePort
      readonly request: WatchRequest
      readonly limits: ApiLimits
      readonly budget: QueueBudget
      readonly closed: (why: 'ended' | 'stalled') => void
      readonly cut: (peer: string) => void
    },
  ) {
    this.#call = call
    this.#node = options.node
    this.#prefix = options.request.prefix
    this.#limits = options.limits
    this.#budget = options.budget
    this.#closed = options.closed
    this.#cut = options.cut
    this.#peer = call.getPeer()
    this.#completeRevision =
      options.request.afterRevision ?? options.node.status().machine.appliedIndex
    this.#toldRevision = this.#completeRevision
  }

  /** Subscribes first, so that a refusal of the node ends the call before anything was sent. */
  start(): void {
    this.#call.on('cancelled', () => {
      this.#end('ended')
    })
    this.#call.on('close', () => {
      this.#end('ended')
    })
    const started: WatchResponse = { kind: 'started', revision: this.#completeRevision }
    // A node may deliver at once: that waits in the queue behind the first message.
    this.#isWriting = true
    try {
      this.#subscribe()
    } catch (error) {
      this.fail(error)
      return
    }
    this.#write(encoded(started))
  }

  fail(error: unknown): void {
    if (this.#isOver) return
    this.#end('ended')
    failStream(this.#call, error)
  }

  /** Every few seconds: progress, stalls, and whether this node still knows the present. */
  tick(notReady: CountersignError | null): void {
    if (this.#isOver) return
    this.#notReadyTicks = notReady === null ? 0 : this.#notReadyTicks + 1
    if (notReady !== null && this.#notReadyTicks > 1) {
      this.fail(notReady)
      return
    }
    if (this.#isWriting) {
      if (performance.now() - this.#lastReadMs >= this.#limits.watchStallMs) this.#cutOff()
      return
    }
    this.#lastReadMs = performance.now()
    if (this.#held !== null) return
    const delivered = this.#subscription?.delivered() ?? this.#completeRevision
    this.#toldRevision = Math.max(this.#toldRevision, delivered)
    this.#send({ kind: 'progress', revision: this.#toldRevision })
  }

  #subscribe(): void {
    const subscription = this.#node.watch(
      { prefix: this.#prefix, afterRevision: this.#completeRevision },
      (batch) => {
        this.#take(batch)
      },
    )
    // A node that delivers at once may have filled the queue already.
    if (this.#isFull() || this.#isOver) subscription.close()
    else this.#subscription = subscription
  }

  #take(batch: WatchBatch): void {
    // What is left here comes again with the next subscription.
    if (this.#isOver) return
    if (this.#isFull()) {
      this.#letGo()
      return
    }
    if (batch.revision <= this.#completeRevision) return
    const held = this.#held
    if (held === null) setImmediate(this.#releaseWhenComplete)
    else this.#release(held, held.revision === batch.revision)
    if (this.#ofNextRevision.has(batch.changeId)) return
    if (this.#isFull()) this.#letGo()
    else this.#held = batch
  }

  /** Once the node says that it delivered the whole revision. */
  readonly #releaseWhenComplete = (): void => {
    const held = this.#held
    if (held === null || this.#isOver) return
    if (this.#subscription !== null && this.#subscription.delivered() >= held.revision) {
      this.#release(held, false)
      if (this.#isFull()) this.#letGo()
    } else if (this.#subscription !== null) {
      setImmediate(this.#releaseWhenComplete)
    }
  }

  #release(batch: WatchBatch, more: boolean): void {
    this.#held = null
    this.#send({ kind: 'batch', ...batch, more })
    if (more) {
      this.#ofNextRevision.add(batch.changeId)
    } else {
      this.#completeRevision = batch.revision
      this.#toldRevision = Math.max(this.#toldRevision, batch.revision)
      this.#ofNextRevision.clear()
    }
  }

  #letGo(): void {
    this.#subscription?.close()
    this.#subscription = null
    this.#held = null
  }

  #isFull(): boolean {
    return (
      this.#queue.length > 0 &&
      (this.#queue.length >= this.#limits.watchQueueBatchesMax ||
        this.#queuedBytes >= this.#limits.watchQueueBytesMax ||
        this.#budget.bytes >= this.#budget.bytesMax)
    )
  }

  #send(response: WatchResponse): void {
    const bytes = encoded(response)
    if (this.#isWriting) {
      this.#queue.push(bytes)
      this.#queuedBytes += bytes.length
      this.#budget.bytes += bytes.length
    } else {
      this.#write(bytes)
    }
  }

  /** One message at a time: the library's own buffer must not become a second queue. */
  #write(bytes: Buffer): void {
    this.#isWriting = true
    this.#call.write(bytes, () => {
      this.#isWriting = false
      this.#lastReadMs = performance.now()
      if (this.#isOver) return
      this.#writeNext()
    })
  }

  #writeNext(): void {
    const next = this.#queue.shift()
    if (next !== undefined) {
      this.#queuedBytes -= next.length
      this.#budget.bytes -= next.length
      this.#write(next)
    } else if (this.#subscription === null) {
      try {
        this.#subscribe()
      } catch (error) {
        this.fail(error)
      }
    }
  }

  #cutOff(): void {
    const error = new CountersignError(
      'SLOW_WATCHER',
      'The watcher read nothing for too long and was cut off. Resume after the last revision.',
      { details: { stallMs: this.#limits.watchStallMs } },
    )
    this.#end('stalled')
    failStream(this.#call, error)
    // The status waits behind what was not read. The caller's other calls end with the connection.
    const timer = setTimeout(() => {
      if (this.#isWriting) this.#cut(this.#peer)
    }, lastWordMs)
    timer.unref()
    this.#call.once('close', () => {
      clearTimeout(timer)
    })
  }

  #end(why: 'ended' | 'stalled'): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#letGo()
    this.#budget.bytes -= this.#queuedBytes
    this.#queue = []
    this.#queuedBytes = 0
    this.#closed(why)
  }
}

function encoded(response: WatchResponse): Buffer {
  return toBuffer(configMethods.watch.response.encode(response))
}
