/**
 * The socket side of the client port. The sockets are ours and are handed to grpc-js, so that the
 * number of connections is bounded and one that misbehaves can be closed.
 */
import net from 'node:net'
import type { Server, ServerCredentials } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { Logger } from './logger.js'

export interface Listener {
  /** host:port that is really listened on. */
  readonly address: string
  readonly connections: () => number
  /** Closes the connection of this peer (`call.getPeer()`); its other calls end with it. */
  cut(peer: string): void
  /** No new connections. */
  close(): void
  /** Ends what is left. */
  destroy(): void
}

export async function listen(options: {
  readonly server: Server
  readonly credentials: ServerCredentials
  readonly address: string
  readonly connectionsMax: number
  readonly logger: Logger
}): Promise<Listener> {
  const { server, logger } = options
  const { host, port } = splitAddress(options.address)
  const injector = server.createConnectionInjector(options.credentials)
  const sockets = new Map<string, net.Socket>()
  const acceptor = net.createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= options.connectionsMax) {
      logger.warn({ connections: sockets.size }, 'connection refused: too many')
      socket.destroy()
      return
    }
    const peer = peerName(socket)
    sockets.set(peer, socket)
    socket.once('close', () => sockets.delete(peer))
    // A peer that resets the connection is no event of ours; grpc-js ends its calls.
    socket.on('error', () => socket.destroy())
    injector.injectConnection(socket)
  })
  await listening(acceptor, { host, port }, options.address)
  return {
    address: boundAddress(acceptor),
    connections: () => sockets.size,
    cut: (peer) => sockets.get(peer)?.destroy(),
    close: () => acceptor.close(),
    destroy: () => {
      acceptor.close()
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
