/**
 * One directed link between two nodes as a TCP proxy that can break it: silence, refusal, delay,
 * little bandwidth, each direction alone. A kernel without netem can do no more by itself, and rules
 * of a firewall would reach beyond the cluster under test.
 *
 * TLS goes through untouched. A silent direction is not read: what is sent stays on its way and
 * arrives after the fault, as TCP would deliver it.
 */
import net from 'node:net'

/** What happens to the bytes of one direction. */
export interface DirectionFault {
  /** Nothing arrives until the fault ends. */
  readonly silent?: boolean
  /** Every byte arrives this much later, in ms; the order stays. */
  readonly delayMs?: number
  readonly bytesPerSecond?: number
}

export interface LinkFault {
  /** Standing connections are reset and new ones refused: the far process looks dead. */
  readonly refuse?: boolean
  /** From the node that dialled. */
  readonly forward?: DirectionFault
  /** To the node that dialled. */
  readonly backward?: DirectionFault
}

/** Time as the proxy needs it. */
export interface ProxyClock {
  /** Monotonic, in ms. */
  nowMs(): number
  /** Calls `act` once, `ms` from now; returns how to call it off. */
  after(ms: number, act: () => void): () => void
}

const systemClock: ProxyClock = {
  nowMs: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms)
    return () => {
      clearTimeout(timer)
    }
  },
}

export interface FaultProxyOptions {
  /** Loopback address to listen on; the port is chosen. */
  readonly host: string
  readonly target: { readonly host: string; readonly port: number }
  /** Address that the far node sees; otherwise the system's choice. */
  readonly localAddress?: string
  /** Of delays and bandwidth; else real time. */
  readonly clock?: ProxyClock
}

export class FaultProxy {
  readonly #options: FaultProxyOptions
  readonly #connections = new Set<ProxiedConnection>()
  #server: net.Server | undefined
  #port = 0
  #fault: LinkFault = {}
  #bytes = 0

  private constructor(options: FaultProxyOptions) {
    this.#options = options
  }

  static async open(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    await proxy.#listen()
    return proxy
  }

  /** `host:port` to dial instead of the target; the same for as long as the proxy lives. */
  get address(): string {
    return `${this.#options.host}:${String(this.#port)}`
  }

  get fault(): LinkFault {
    return this.#fault
  }

  /** Bytes that went through, both ways. */
  get bytes(): number {
    return this.#bytes
  }

  /** Replaces the fault; an empty one heals the link. */
  async set(fault: LinkFault): Promise<void> {
    this.#fault = fault
    if (fault.refuse === true) {
      await this.#stopListening()
    } else {
      for (const connection of this.#connections) connection.set(fault)
      if (this.#server === undefined) await this.#listen()
    }
  }

  async close(): Promise<void> {
    await this.#stopListening()
  }

  async #listen(): Promise<void> {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      this.#accept(socket)
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, this.#options.host, resolve)
    })
    const address = server.address()
    if (address !== null && typeof address === 'object') this.#port = address.port
  }

  async #stopListening(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const connection of this.#connections) connection.reset()
    if (server === undefined) return
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
    })
  }

  #accept(near: net.Socket): void {
    const { target, localAddress, clock = systemClock } = this.#options
    const far = net.connect({
      ...target,
      ...(localAddress !== undefined && { localAddress }),
      allowHalfOpen: true,
    })
    const connection = new ProxiedConnection(near, far, clock, {
      moved: (bytes) => {
        this.#bytes += bytes
      },
      ended: () => {
        this.#connections.delete(connection)
      },
    })
    this.#connections.add(connection)
    connection.set(this.#fault)
  }
}

interface ConnectionEvents {
  readonly moved: (bytes: number) => void
  readonly ended: () => void
}

class ProxiedConnection {
  readonly #near: net.Socket
  readonly #far: net.Socket
  readonly #forward: Direction
  readonly #backward: Direction
  readonly #ended: () => void

  constructor(
    near: net.Socket,
    far: net.Socket,
    clock: ProxyClock,
    { moved, ended }: ConnectionEvents,
  ) {
    this.#near = near
    this.#far = far
    this.#ended = ended
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      // The close that follows says it all: whoever was connected learns of it by a reset.
      socket.on('error', () => undefined)
      socket.on('close', (hadError) => {
        this.#closed(socket, hadError)
      })
    }
    this.#forward = new Direction(near, far, clock, moved)
    this.#backward = new Direction(far, near, clock, moved)
  }

  set(fault: LinkFault): void {
    this.#forward.set(fault.forward ?? {})
    this.#backward.set(fault.backward ?? {})
    if (this.#near.destroyed) this.#lost(this.#near)
    if (this.#far.destroyed) this.#lost(this.#far)
  }

  reset(): void {
    cut(this.#near)
    cut(this.#far)
  }

  #closed(socket: net.Socket, hadError: boolean): void {
    const other = this.#otherThan(socket)
    // After a clean end the other half closes by itself, when it has handed on what it holds.
    if (!other.destroyed && (hadError || !other.writableEnded)) this.#lost(socket)
    if (!this.#near.destroyed || !this.#far.destroyed) return
    this.#forward.stop()
    this.#backward.stop()
    this.#ended()
  }

  /** A reset is a message too: it does not get through a silent direction. */
  #lost(socket: net.Socket): void {
    const direction = socket === this.#near ? this.#forward : this.#backward
    const other = this.#otherThan(socket)
    if (!direction.isSilent && !other.destroyed) cut(other)
  }

  #otherThan(socket: net.Socket): net.Socket {
    return socket === this.#near ? this.#far : this.#near
  }
}

/** With a reset where the system allows one: not after an end, whose handle would stay open. */
function cut(socket: net.Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** Above it the source is not read: a slow link holds no more than this. */
const heldBytesMax = 1024 * 1024
/** With a bandwidth, bytes leave in pieces of this many ms. */
const sliceMs = 20

interface Held {
  readonly dueMs: number
  readonly bytes: Buffer
}

/** One way of a connection: read, hold for its time, write. */
class Direction {
  readonly #from: net.Socket
  readonly #to: net.Socket
  readonly #clock: ProxyClock
  readonly #moved: (bytes: number) => void
  #fault: DirectionFault = {}
  #held: Held[] = []
  #heldBytes = 0
  /** Calls the next pump off; undefined while none is due. */
  #callOff: (() => void) | undefined
  #hasEnded = false
  #isWriterFull = false

  constructor(from: net.Socket, to: net.Socket, clock: ProxyClock, moved: (bytes: number) => void) {
    this.#from = from
    this.#to = to
    this.#clock = clock
    this.#moved = moved
    from.on('data', (bytes: Buffer) => {
      this.#held.push({ dueMs: this.#clock.nowMs() + (this.#fault.delayMs ?? 0), bytes })
      this.#heldBytes += bytes.length
      this.#pump()
    })
    from.on('end', () => {
      this.#hasEnded = true
      this.#pump()
    })
    to.on('drain', () => {
      this.#isWriterFull = false
      this.#pump()
    })
  }

  get isSilent(): boolean {
    return this.#fault.silent === true
  }

  set(fault: DirectionFault): void {
    this.#fault = fault
    this.#rest()
    this.#pump()
  }

  stop(): void {
    this.#rest()
    this.#held = []
    this.#heldBytes = 0
  }

  #rest(): void {
    this.#callOff?.()
    this.#callOff = undefined
  }

  #pump(): void {
    // With little bandwidth the running slice has had its share.
    if (this.#callOff !== undefined && this.#fault.bytesPerSecond !== undefined) return
    this.#rest()
    if (this.isSilent) {
      this.#from.pause()
      return
    }
    this.#write(this.#clock.nowMs())
    if (this.#heldBytes > heldBytesMax || this.#isWriterFull) this.#from.pause()
    else this.#from.resume()
    if (this.#held.length === 0 && this.#hasEnded && !this.#to.writableEnded) this.#to.end()
  }

  #write(nowMs: number): void {
    const { bytesPerSecond } = this.#fault
    const share = bytesPerSecond === undefined ? Infinity : (bytesPerSecond * sliceMs) / 1000
    let left = Math.max(1, share)
    for (;;) {
      const first = this.#held[0]
      if (first === undefined || this.#isWriterFull || left < 1) break
      const waitMs = first.dueMs - nowMs
      if (waitMs > 0) {
        this.#pumpIn(waitMs)
        return
      }
      const part = first.bytes.subarray(0, Math.min(first.bytes.length, left))
      if (part.length === first.bytes.length) this.#held.shift()
      else this.#held[0] = { dueMs: first.dueMs, bytes: first.bytes.subarray(part.length) }
      left -= part.length
      this.#heldBytes -= part.length
      this.#moved(part.length)
      this.#isWriterFull = !this.#to.write(part)
    }
    if (left < share) this.#pumpIn(sliceMs)
  }

  #pumpIn(ms: number): void {
    this.#callOff = this.#clock.after(ms, () => {
      this.#callOff = undefined
      this.#pump()
    })
  }
}
