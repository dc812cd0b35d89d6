/** One gRPC channel an address, made when needed, thrown away when it fails. */
import net from 'node:net'
import tls from 'node:tls'
import { Client, credentials, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { ConnectOptions } from './types.js'

/** Up to 16 revisions with 1 MiB of detached parts each, and as much again for decisions. */
const receiveBytesMax = 64 * 1024 * 1024

/** Stands for an address literal in the TLS greeting, where RFC 6066 allows names only. */
const greetingName = 'countersign.invalid'

const channelOptions: ClientOptions = {
  'grpc.max_receive_message_length': receiveBytesMax,
  // While it backs off, a channel answers from its last error without dialling: a node that is back
  // still looks gone. So a failed channel is dropped and the next one dials at once.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // Nodes are dialled as they are named; a proxy from the environment has no place in between.
  'grpc.enable_http_proxy': 0,
  // This client retries by itself, with the same bytes and to the right node.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
}

export class Connections {
  readonly #options: Pick<ConnectOptions, 'ca' | 'plaintext'>
  readonly #clients = new Map<string, Client>()
  #isClosed = false

  /** Throws INPUT_INVALID when there is neither a CA nor leave to do without. */
  constructor(options: Pick<ConnectOptions, 'ca' | 'plaintext'>) {
    this.#options = options
    if (options.plaintext !== true && options.ca === undefined) {
      throw new CountersignError('INPUT_INVALID', 'TLS needs the CA of the cluster (ca.pem).')
    }
  }

  /** Throws INPUT_INVALID for an address that may not be dialled without TLS. */
  to(address: string): Client {
    if (this.#isClosed) throw new CountersignError('CANCELLED', 'The client was closed.')
    const known = this.#clients.get(address)
    if (known !== undefined) return known
    const client = this.#open(address)
    this.#clients.set(address, client)
    return client
  }

  /**
   * One of `addresses` was lost, and with it perhaps the leader: whoever leads next will be called
   * soon, so the others are dialled while they elect, and nobody waits for it. What is wrong with an
   * address is said by the call that goes there.
   */
  warmOthers(addresses: readonly string[], lost: string): void {
    for (const address of addresses) {
      if (address === lost || this.#isClosed) continue
      try {
        this.to(address).getChannel().getConnectivityState(true)
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error
      }
    }
  }

  /** This channel failed; another call may have made a new one already. */
  drop(address: string, failed: Client): void {
    if (this.#clients.get(address) === failed) this.#clients.delete(address)
    failed.close()
  }

  close(): void {
    this.#isClosed = true
    for (const client of this.#clients.values()) client.close()
    this.#clients.clear()
  }

  #open(address: string): Client {
    const { host } = splitAddress(address)
    if (this.#options.plaintext === true) {
      if (!isLoopback(host)) {
        throw new CountersignError(
          'INPUT_INVALID',
          `Without TLS only loopback addresses are dialled, and ${address} is none.`,
        )
      }
      return new Client(address, credentials.createInsecure(), channelOptions)
    }
    const isLiteral = net.isIP(host) !== 0
    return new Client(address, this.#tls(host), {
      ...channelOptions,
      ...(isLiteral
        ? { 'grpc.ssl_target_name_override': greetingName, 'grpc.default_authority': address }
        : {}),
    })
  }

  /** The certificate must name the address that was dialled, under the cluster's own CA. */
  #tls(host: string): ChannelCredentials {
    const ca = this.#options.ca ?? ''
    try {
      return credentials.createSsl(Buffer.from(ca as string), null, null, {
        checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(host, certificate),
      })
    } catch (error) {
      throw new CountersignError('INPUT_INVALID', 'The CA is not a PEM certificate.', {
        cause: error,
      })
    }
  }
}

/** Throws INPUT_INVALID unless it is `host:port` or `[v6]:port`. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, Math.max(at, 0)).replace(/^\[(.*)\]$/, '$1')
  const port = Number(address.slice(at + 1))
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new CountersignError('INPUT_INVALID', `"${address}" is not host:port.`)
  }
  return { host, port }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
