/**
 * The listening socket of the peer port, in front of TLS. A connection that has not been admitted
 * (TLS done, Hello checked) within its time is cut, and only so many may be on their way at once:
 * whoever sends garbage, never finishes TLS, or never says Hello costs one socket for two seconds.
 */
import net from 'node:net'
import { CountersignError } from '../errors.js'
import { strangersMax } from './limits.js'
import { parseAddress } from './probe.js'

interface Guest {
  readonly socket: net.Socket
  timer: NodeJS.Timeout | null
}

export interface DoorkeeperOptions {
  readonly listen: string
  readonly admitWithinMs: number
  readonly opened: (socket: net.Socket) => void
}

export class Doorkeeper {
  readonly #options: DoorkeeperOptions
  readonly #server: net.Server
  /** By `remoteAddress:remotePort`, as grpc-js names the peer of a call. */
  readonly #guests = new Map<string, Guest>()
  #cut = 0

  constructor(options: DoorkeeperOptions) {
    this.#options = options
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      this.#opened(socket)
    })
  }

  async listen(): Promise<void> {
    const address = parseAddress(this.#options.listen)
    if (address === null) {
      const message = `The peer listen address "${this.#options.listen}" is not host:port.`
      throw new CountersignError('CONFIG_INVALID', message)
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const message = `Cannot listen on ${this.#options.listen} for peers: ${String(error.code)}.`
        reject(new CountersignError('CONFIG_INVALID', message, { cause: error }))
      })
      this.#server.listen(address.port, address.host, () => {
        this.#server.removeAllListeners('error')
        // After this an error is of one accept only (no file descriptors, say): others may go on.
        this.#server.on('error', () => {
          this.#cut += 1
        })
        resolve()
      })
    })
  }

  get port(): number {
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? 0 : address.port
  }

  /** Connections that were closed because they were not admitted in time. */
  get cut(): number {
    return this.#cut
  }

  /** The call from this address has proved who it is. */
  admit(remote: string): void {
    const guest = this.#guests.get(remote)
    if (guest === undefined || guest.timer === null) return
    clearTimeout(guest.timer)
    guest.timer = null
  }

  /** One connection carries one stream; a moment is left for the status to reach the other side. */
  dismiss(remote: string): void {
    const guest = this.#guests.get(remote)
    if (guest === undefined) return
    if (guest.timer !== null) clearTimeout(guest.timer)
    guest.timer = setTimeout(() => guest.socket.destroy(), 100)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    for (const guest of this.#guests.values()) guest.socket.destroy()
    await closed
  }

  #opened(socket: net.Socket): void {
    // A peer may reset its connection at any time, also before TLS has listeners of its own.
    socket.on('error', () => socket.destroy())
    const remote = `${String(socket.remoteAddress)}:${String(socket.remotePort)}`
    const guest: Guest = {
      socket,
      timer: setTimeout(() => {
        this.#cut += 1
        socket.destroy()
      }, this.#options.admitWithinMs),
    }
    this.#guests.set(remote, guest)
    socket.once('close', () => {
      if (guest.timer !== null) clearTimeout(guest.timer)
      if (this.#guests.get(remote) === guest) this.#guests.delete(remote)
    })
    this.#cutOldestStranger()
    this.#options.opened(socket)
  }

  #cutOldestStranger(): void {
    const strangers = [...this.#guests.values()].filter((guest) => guest.timer !== null)
    if (strangers.length <= strangersMax) return
    this.#cut += 1
    strangers[0]?.socket.destroy()
  }
}
