/** The status endpoint of one node: health, status, metrics and the page. Plain HTTP, read-only. */
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { CountersignError } from '../errors.js'
import type { NodePort } from '../node/ports.js'
import {
  bodyBytesMax,
  connectionsMax,
  headerBytesMax,
  keepAliveTimeoutMs,
  requestTimeoutMs,
} from './limits.js'
import { answerError, fromThrown } from './answer-error.js'
import { Live } from './live.js'
import { createMetrics } from './metrics.js'
import { readPageFiles } from './page-files.js'
import { addFailures, addRoutes, snapshot } from './routes.js'
import { securityHeaders } from './security-headers.js'
import type { ViewClock } from './status-view.js'

export interface StatusOptions {
  readonly node: NodePort
  /** host:port; port 0 takes a free one. */
  readonly listen: string
  readonly logger?: StatusLog
  /** Length of one tick of the consensus core, to show silence in milliseconds. */
  readonly tickMs?: number
  readonly wallMs?: () => number
  /** Time for a request to arrive whole; {@link requestTimeoutMs} unless a test says less. */
  readonly requestTimeoutMs?: number
}

/** The part of a pino logger that the endpoint uses. */
export interface StatusLog {
  error(facts: Readonly<Record<string, unknown>>, message: string): void
}

export interface StatusServer {
  /** `http://host:port` as it listens. */
  readonly url: string
  close(): Promise<void>
}

/** Starts to listen. Throws CONFIG_INVALID when it cannot listen there. */
export async function startStatus(options: StatusOptions): Promise<StatusServer> {
  const server = createStatusServer(options)
  const colon = options.listen.lastIndexOf(':')
  const host = options.listen.slice(0, colon).replace(/^\[|\]$/gu, '')
  const port = Number(options.listen.slice(colon + 1))
  try {
    const url = await server.listen({ host, port })
    return { url, close: () => server.close() }
  } catch (cause) {
    await server.close()
    const message = `Cannot listen on ${options.listen} for status.`
    throw new CountersignError('CONFIG_INVALID', message, { cause })
  }
}

/** The same server without a socket, for tests that inject requests. */
export function createStatusServer(options: StatusOptions): FastifyInstance {
  const { node } = options
  const wallMs = options.wallMs ?? Date.now
  const clock = (): ViewClock => ({ nowMs: wallMs(), tickMs: options.tickMs ?? 10 })
  const metrics = createMetrics(node, clock())
  const live = new Live({ snapshot: () => snapshot(node, clock()) })
  const applied = node.onApplied(() => {
    live.changed()
  })

  const server = Fastify({
    ...httpLimits(options.requestTimeoutMs ?? requestTimeoutMs),
    forceCloseConnections: true,
    // What fails before there is a route, such as an address that cannot be decoded.
    frameworkErrors: (thrown, _request, reply: FastifyReply) => {
      void reply.headers(securityHeaders).send(answerError(reply, fromThrown(thrown)))
    },
    ajv: { customOptions: { removeAdditional: false } },
  })
  server.server.maxConnections = connectionsMax
  server.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(securityHeaders)
    done()
  })
  server.addHook('preClose', (done) => {
    applied.close()
    live.close()
    metrics.close()
    done()
  })
  addRoutes(server, { node, metrics, live, clock, page: readPageFiles() })
  addFailures(server, (error, request) => {
    options.logger?.error({ err: error.cause ?? error, url: request.url }, 'status request failed')
  })
  return server
}

function httpLimits(timeoutMs: number) {
  return {
    bodyLimit: bodyBytesMax,
    requestTimeout: timeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    routerOptions: { maxParamLength: 100 },
    http: {
      maxHeaderSize: headerBytesMax,
      headersTimeout: timeoutMs,
      // Node itself looks only every 30 seconds whose time is up.
      connectionsCheckingInterval: Math.min(1000, timeoutMs),
    },
  } as const
}
