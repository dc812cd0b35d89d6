/** Where the nodes of a new cluster live: `ID=HOST[:PEER:CLIENT:STATUS]`. */
import { isIP } from 'node:net'
import { usage } from '../failures.js'

export interface NodePlace {
  readonly id: string
  /** DNS name or IP address that peers and clients dial. */
  readonly host: string
  readonly peerPort: number
  readonly clientPort: number
  readonly statusPort: number
}

const ports = { peer: 7100, client: 7200, status: 7300 } as const

/**
 * Three nodes on loopback. The ports of node n are base+n, base+100+n and base+200+n: 7101, 7201
 * and 7301 for the first one.
 */
export function loopbackPlaces(basePort: number = ports.peer): NodePlace[] {
  return [1, 2, 3].map((number) => ({
    id: `node-${String(number)}`,
    host: '127.0.0.1',
    peerPort: basePort + number,
    clientPort: basePort + 100 + number,
    statusPort: basePort + 200 + number,
  }))
}

export function parseBasePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1024 || port > 65_000) {
    throw usage(`--base-port ${text} is not a port from 1024 to 65000.`)
  }
  return port
}

export function parsePlace(text: string): NodePlace {
  const split = text.indexOf('=')
  const id = text.slice(0, split)
  const rest = text.slice(split + 1)
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}):(\d{1,5}):(\d{1,5}))?$/.exec(rest)
  const host = match?.[1]?.replace(/^\[|\]$/g, '') ?? ''
  if (split < 1 || match === null || !isHost(host))
    throw badPlace(text, 'it does not have the form')
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(id)) throw badPlace(text, `"${id}" is not an id`)
  const [peerPort, clientPort, statusPort] = [
    Number(match[2] ?? ports.peer),
    Number(match[3] ?? ports.client),
    Number(match[4] ?? ports.status),
  ]
  const numbers = [peerPort, clientPort, statusPort]
  if (numbers.some((port) => port < 1 || port > 65_535)) throw badPlace(text, 'a port is too large')
  if (new Set(numbers).size !== 3) throw badPlace(text, 'the three ports must differ')
  return { id, host, peerPort, clientPort, statusPort }
}

/** Refuses what cannot be one cluster: an id twice, or two nodes that want the same port. */
export function checkPlaces(places: readonly NodePlace[]): void {
  const ids = new Set<string>()
  const taken = new Set<string>()
  for (const place of places) {
    if (ids.has(place.id)) throw usage(`The node ${place.id} is named twice.`)
    ids.add(place.id)
    for (const port of [place.peerPort, place.clientPort, place.statusPort]) {
      const address = hostPort(place.host, port)
      if (taken.has(address)) throw usage(`Two nodes want the address ${address}.`)
      taken.add(address)
    }
  }
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${String(port)}` : `${host}:${String(port)}`
}

function isHost(host: string): boolean {
  return isIP(host) !== 0 || (host.length <= 253 && hostName.test(host))
}

const hostName =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/

function badPlace(text: string, why: string): Error {
  return usage(
    `--node ${text}: ${why}.`,
    'Write ID=HOST or ID=HOST:PEER:CLIENT:STATUS, e.g. node-1=10.0.0.11 or node-1=db1:7100:7200:7300.',
  )
}
