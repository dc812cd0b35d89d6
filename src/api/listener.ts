/**
 * The socket side of the client port. The sockets are ours and are handed to grpc-js, so that the
 * number of connections is bounded and one that misbehaves can be closed.
 */
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Server, ServerCredentials } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { ApiLimits } from './limits.js'
import type { Logger } from './logger.js'

const sayFullEveryMs = 60_000
/** A caller closes when it is told to go; one that does not is cut after this. */
const leaveMs = 250

export interface Listener {
  /** host:port that is really listened on. */
  readonly address: string
  readonly connections: () => number
  /** A call has begun on the connection of this peer. */
  used(peer: string): void
  /** Closes the connection of this peer (`call.getPeer()`); its other calls end with it. */
  cut(peer: string): void
  /** No new connections. */
  close(): void
  /** Gives those who are leaving a moment to take their last answers, and ends what is left. */
  finish(): Promise<void>
}

export async function listen(options: {
  readonly server: Server
  readonly credentials: ServerCredentials
  readonly address: string
  readonly limits: Pick<ApiLimits, 'connectionsMax' | 'firstCallMs'>
  readonly logger: Logger
}): Promise<Listener> {
  const { server, logger } = options
  const { connectionsMax, firstCallMs } = options.limits
  const { host, port } = splitAddress(options.address)
  const injector = server.createConnectionInjector(options.credentials)
  const sockets = new Map<string, net.Socket>()
  /** Those on which no call has begun, oldest first. */
  const unused = new Map<string, NodeJS.Timeout>()
  const used = (peer: string): void => {
    clearTimeout(unused.get(peer))
    unused.delete(peer)
  }
  const cut = (peer: string): void => {
    sockets.get(peer)?.destroy()
  }
  let saidFullAtMs = Number.NEGATIVE_INFINITY

  function madeRoom(): boolean {
    if (sockets.size < connectionsMax) return true
    if (performance.now() - saidFullAtMs >= sayFullEveryMs) {
      saidFullAtMs = performance.now()
      logger.warn({ connections: sockets.size }, 'all client connections are taken')
    }
    const [oldest] = unused.keys()
    if (oldest === undefined) return false
    forget(oldest)
    return true
  }

  function forget(peer: string): void {
    cut(peer)
    used(peer)
    sockets.delete(peer)
  }

  const acceptor = net.createServer({ noDelay: true }, (socket) => {
    if (!madeRoom()) {
      socket.destroy()
      return
    }
    const peer = peerName(socket)
    sockets.set(peer, socket)
    unused.set(peer, setTimeout(forget, firstCallMs, peer).unref())
    socket.once('close', () => {
      if (sockets.get(peer) === socket) forget(peer)
    })
    // A peer that resets the connection is no event of ours; grpc-js ends its calls.
    socket.on('error', () => socket.destroy())
    injector.injectConnection(socket)
  })
  await listening(acceptor, { host, port }, options.address)
  return {
    address: boundAddress(acceptor),
    connections: () => sockets.size,
    used,
    cut,
    close: () => acceptor.close(),
    finish: async () => {
      acceptor.close()
      const leaving = [...sockets.values()].map((socket) => once(socket, 'close'))
      await Promise.race([Promise.allSettled(leaving), delay(leaveMs, undefined, { ref: false })])
      for (const socket of sockets.values()) socket.destroy()
      injector.destroy()
    },
  }
}

/** `host:port` or `[v6]:port`. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1')
  const port = Number(address.slice(at + 1))
  if (at <= 0 || host === '' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CountersignError('CONFIG_INVALID', `${address} is not host:port.`)
  }
  return { host, port }
}

export function isLoopback(address: string): boolean {
  const { host } = splitAddress(address)
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function listening(
  acceptor: net.Server,
  at: { readonly host: string; readonly port: number },
  address: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    acceptor.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CountersignError(
          'CONFIG_INVALID',
          `The client port cannot listen on ${address}: ${error.code ?? error.message}.`,
          { cause: error, details: { address } },
        ),
      )
    })
    acceptor.listen(at, () => {
      acceptor.removeAllListeners('error')
      acceptor.on('error', () => undefined)
      resolve()
    })
  })
}

/** As grpc-js names the peer of a call. */
function peerName(socket: net.Socket): string {
  return `${socket.remoteAddress ?? ''}:${String(socket.remotePort ?? 0)}`
}

function boundAddress(acceptor: net.Server): string {
  const bound = acceptor.address()
  if (bound === null || typeof bound === 'string') return ''
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return `${host}:${String(bound.port)}`
}
