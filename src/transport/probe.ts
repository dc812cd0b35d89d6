/**
 * A plain TCP dial: is the process behind this address gone? grpc-js cannot tell: during its
 * backoff it answers from its last error without dialling, so a peer that is back still looks
 * refused. A host that is frozen or unplugged refuses nothing, and is `silent`.
 */
import net from 'node:net'

export type ProbeResult = 'open' | 'refused' | 'silent'

export interface Probe {
  readonly result: Promise<ProbeResult>
  cancel(): void
}

export function probe(address: HostPort, timeoutMs: number): Probe {
  const socket = net.connect({ host: address.host, port: address.port })
  const result = new Promise<ProbeResult>((resolve) => {
    const end = (outcome: ProbeResult): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(end, timeoutMs, 'silent')
    socket.once('connect', () => {
      end('open')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'refused' : 'silent')
    })
    socket.once('close', () => {
      end('silent')
    })
  })
  return { result, cancel: () => socket.destroy() }
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** `host:port`, `1.2.3.4:port` or `[::1]:port`; null when it is none of them. */
export function parseAddress(address: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/u.exec(address)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65_535 ? null : { host, port }
}
