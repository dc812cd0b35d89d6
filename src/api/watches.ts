/** All watches of this server: what they share, and their end when the server stops. */
import type { ServerWritableStream } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodePort, WatchRequest } from '../node/ports.js'
import type { ApiLimits } from './limits.js'
import type { Logger } from './logger.js'
import { WatchStream, type QueueBudget } from './watch-stream.js'

export class Watches {
  readonly #node: NodePort
  readonly #limits: ApiLimits
  readonly #logger: Logger
  readonly #cut: (peer: string) => void
  readonly #open = new Set<WatchStream>()
  readonly #budget: QueueBudget
  readonly #timer: NodeJS.Timeout

  constructor(options: {
    readonly node: NodePort
    readonly limits: ApiLimits
    readonly logger: Logger
    /** Closes the connection of a peer that does not even take its status. */
    readonly cut: (peer: string) => void
  }) {
    this.#node = options.node
    this.#limits = options.limits
    this.#logger = options.logger
    this.#cut = options.cut
    this.#budget = { bytes: 0, bytesMax: options.limits.watchQueuesBytesMax }
    this.#timer = setInterval(() => {
      this.#tick()
    }, options.limits.watchProgressMs).unref()
  }

  get size(): number {
    return this.#open.size
  }

  get queuedBytes(): number {
    return this.#budget.bytes
  }

  /** Throws NODE_STARTING when the node does not know the present; COMPACTED, BUSY of the node. */
  open(call: ServerWritableStream<Buffer, Buffer>, request: WatchRequest): void {
    if (!this.#node.status().ready) throw notReady()
    const stream = new WatchStream(call, {
      node: this.#node,
      request,
      limits: this.#limits,
      budget: this.#budget,
      closed: (why) => {
        this.#open.delete(stream)
        if (why === 'stalled') {
          this.#logger.info({ peer: call.getPeer() }, 'a watcher that does not read was cut')
        }
      },
      cut: this.#cut,
    })
    this.#open.add(stream)
    stream.start()
  }

  stop(): void {
    clearInterval(this.#timer)
    const error = new CountersignError(
      'NODE_STOPPING',
      'This node is shutting down. Watch another.',
    )
    for (const stream of [...this.#open]) stream.fail(error)
  }

  /** A node that lost its leader shows an old state: its watchers are better off elsewhere. */
  #tick(): void {
    if (this.#open.size === 0) return
    const isReady = this.#node.status().ready
    for (const stream of [...this.#open]) stream.tick(isReady ? null : notReady())
  }
}

function notReady(): CountersignError {
  return new CountersignError(
    'NODE_STARTING',
    'This node knows no leader or has not caught up yet. Watch another node, or try again.',
  )
}
