/**
 * The status endpoint of a node that repairs its log: it says what is damaged and what is missing,
 * also to those who only read metrics. Nothing else is served until the log is whole.
 */
import Fastify from 'fastify'
import { CountersignError } from '../errors.js'
import type { RepairFacts } from '../node/ports.js'
import { answerError } from './answer-error.js'
import { createRepairMetrics } from './repair-metrics.js'
import { bodyBytesMax, connectionsMax, requestTimeoutMs } from './limits.js'
import { securityHeaders } from './security-headers.js'
import type { StatusServer } from './server.js'

export interface RepairStatusOptions {
  /** host:port; port 0 takes a free one. */
  readonly listen: string
  readonly nodeId: string
  readonly facts: () => RepairFacts
}

/** Starts to listen. Throws CONFIG_INVALID when it cannot listen there. */
export async function startRepairStatus(options: RepairStatusOptions): Promise<StatusServer> {
  const { listen, nodeId, facts } = options
  const server = Fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
  })
  server.server.maxConnections = connectionsMax
  server.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(securityHeaders)
    done()
  })
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/status', () => ({
    node: { id: nodeId, ready: false },
    state: 'repairing',
    ...facts(),
  }))
  const metrics = createRepairMetrics(facts)
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
  server.addHook('onClose', (_server, done) => {
    metrics.close()
    done()
  })
  server.setNotFoundHandler((_request, reply) => {
    const [damage] = facts().damages
    const what = damage === undefined ? '' : `: ${damage.file}, ${damage.key}`
    const message = `The node repairs its log from the other nodes${what}. GET /status tells how far.`
    return answerError(reply, new CountersignError('NODE_STARTING', message))
  })
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/gu, '')
  try {
    const url = await server.listen({ host, port: Number(listen.slice(colon + 1)) })
    return { url, close: () => server.close() }
  } catch (cause) {
    await server.close()
    throw new CountersignError('CONFIG_INVALID', `Cannot listen on ${listen} for status.`, {
      cause,
    })
  }
}
