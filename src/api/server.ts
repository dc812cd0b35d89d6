/** The client port of a node: gRPC over TLS, `countersign.v1` beside health and reflection. */
import tls from 'node:tls'
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodePort } from '../node/ports.js'
import { changesMethods, clusterMethods, configMethods } from '../wire/index.js'
import { changesService } from './changes-service.js'
import { clusterService } from './cluster-service.js'
import { configService } from './config-service.js'
import { Gate } from './gate.js'
import { definitionOf, type AnyMethod } from './handlers.js'
import { defaultLimits, receiveBytesMax, type ApiLimits } from './limits.js'
import { isLoopback, listen, type Listener } from './listener.js'
import { silentLogger, type Logger } from './logger.js'
import { addHealth, addReflection } from './standard-services.js'
import { UnfinishedRequests } from './unfinished-requests.js'
import { Watches } from './watches.js'

export interface ApiOptions {
  readonly node: NodePort
  /** host:port; port 0 takes a free one. */
  readonly listen: string
  /** PEM. `plaintext` is refused on anything but loopback. */
  readonly tls: { readonly certificate: Uint8Array; readonly key: Uint8Array } | 'plaintext'
  /** Length of a Raft tick, to say silence in milliseconds. Default 10. */
  readonly tickMs?: number
  readonly limits?: Partial<ApiLimits>
  readonly logger?: Logger
  /** Default true. */
  readonly reflection?: boolean
}

export interface Api {
  /** host:port that is really listened on. */
  readonly address: string
  /** For metrics. */
  counters(): ApiCounters
  /** Ends watches with NODE_STOPPING, lets running calls finish for a moment, closes the rest. */
  stop(): Promise<void>
}

export interface ApiCounters {
  readonly connections: number
  readonly callsInFlight: number
  readonly watches: number
  readonly watchQueueBytes: number
}

/** Throws CONFIG_INVALID when the address cannot be listened on, or plaintext is not allowed. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { node } = options
  const limits: ApiLimits = { ...defaultLimits, ...options.limits }
  const logger = options.logger ?? silentLogger
  if (options.tls === 'plaintext' && !isLoopback(options.listen)) {
    throw new CountersignError(
      'CONFIG_INVALID',
      `Plaintext is for loopback only, and ${options.listen} is not. Give a certificate.`,
    )
  }
  let listener: Listener | null = null
  const unfinished = new UnfinishedRequests({
    limits,
    began: (peer) => listener?.used(peer),
    cut: (peer) => {
      logger.info({ peer }, 'a caller that does not complete its request was cut')
      listener?.cut(peer)
    },
  })
  const server = new Server({
    ...serverOptions(limits),
    interceptors: [unfinished.interceptor],
  })
  const gate = new Gate(limits)
  const watches = new Watches({
    node,
    limits,
    logger,
    cut: (peer) => listener?.cut(peer),
  })
  const context = { gate, logger }
  const { submitStreamWindow, pageBytesMax } = limits
  add(server, changesMethods, changesService({ ...context, submitStreamWindow }, node))
  add(server, configMethods, configService({ ...context, pageBytesMax }, node, watches))
  add(server, clusterMethods, clusterService({ ...context, tickMs: options.tickMs ?? 10 }, node))
  const health = addHealth(server, () => node.status().ready)
  if (options.reflection !== false && !addReflection(server)) {
    logger.warn({}, 'no proto files beside this build: reflection is off')
  }
  try {
    const credentials = credentialsOf(options.tls)
    listener = await listen({ server, credentials, address: options.listen, limits, logger })
  } catch (error) {
    unfinished.stop()
    watches.stop()
    health.stop()
    throw error
  }
  const open = listener
  return {
    address: open.address,
    counters: () => ({
      connections: open.connections(),
      callsInFlight: gate.inFlight,
      watches: watches.size,
      watchQueueBytes: watches.queuedBytes,
    }),
    stop: async () => {
      gate.stop()
      health.stop()
      open.close()
      watches.stop()
      unfinished.stop()
      await shutdown(server, limits.stopGraceMs)
      await open.finish()
    },
  }
}

function add(
  server: Server,
  methods: Readonly<Record<string, AnyMethod>>,
  service: UntypedServiceImplementation,
): void {
  const definitions = Object.entries(methods).map(
    ([name, method]) => [name, definitionOf(method)] as const,
  )
  server.addService(Object.fromEntries(definitions), service)
}

function serverOptions(limits: ApiLimits): Record<string, number> {
  return {
    'grpc.max_receive_message_length': receiveBytesMax,
    'grpc.max_concurrent_streams': limits.streamsPerConnectionMax,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.max_connection_age_ms': limits.connectionAgeMs,
    'grpc.max_connection_age_grace_ms': limits.connectionAgeGraceMs,
    // In MB and for one connection: a caller cannot make the node hold more.
    'grpc-node.max_session_memory': 32,
    // Bookkeeping for a debugging service that is not offered.
    'grpc.enable_channelz': 0,
  }
}

function credentialsOf(pair: ApiOptions['tls']): ServerCredentials {
  if (pair === 'plaintext') return ServerCredentials.createInsecure()
  const cert = Buffer.from(pair.certificate)
  const key = Buffer.from(pair.key)
  try {
    // The library looks at them only at the first connection.
    tls.createSecureContext({ cert, key })
    return ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }])
  } catch (error) {
    throw new CountersignError('CONFIG_INVALID', 'The TLS certificate or key cannot be used.', {
      cause: error,
    })
  }
}

function shutdown(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, graceMs)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
