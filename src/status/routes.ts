/** What the status endpoint answers, route by route. Read-only; nothing here changes anything. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CountersignError } from '../errors.js'
import type { ChangeFilter, NodePort } from '../node/ports.js'
import { answerError, fromThrown } from './answer-error.js'
import { changesView, type ChangesView } from './changes-view.js'
import { changesListedMax } from './limits.js'
import type { Live } from './live.js'
import type { Metrics } from './metrics.js'
import type { PageFile } from './page-files.js'
import { securityHeaders } from './security-headers.js'
import { statusView, type ViewClock } from './status-view.js'

export interface RouteParts {
  readonly node: NodePort
  readonly metrics: Metrics
  readonly live: Live
  readonly clock: () => ViewClock
  readonly page: readonly PageFile[]
}

/** Shown by the answer to an unknown route. */
export const routes: readonly { readonly path: string; readonly what: string }[] = [
  { path: '/', what: 'the page for people' },
  { path: '/healthz', what: 'the process answers' },
  { path: '/readyz', what: '200 when the node can serve, else 503' },
  { path: '/status', what: "this node's view as JSON" },
  { path: '/changes', what: 'latest changes as JSON; query: limit, before, state, prefix, author' },
  { path: '/events', what: 'status and latest changes as Server-Sent Events' },
  { path: '/metrics', what: 'metrics in the Prometheus text format' },
]

/** Changes that the page shows. */
const liveChanges: ChangeFilter = { limit: 30 }

const changesQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: changesListedMax, default: 30 },
    before: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    state: { type: 'string', maxLength: 20 },
    prefix: { type: 'string', minLength: 1, maxLength: 1024 },
    author: { type: 'string', minLength: 1, maxLength: 63 },
  },
} as const

interface ChangesQuery {
  readonly limit: number
  readonly before?: number
  readonly state?: string
  readonly prefix?: string
  readonly author?: string
}

export function addRoutes(server: FastifyInstance, parts: RouteParts): void {
  const { node, metrics, live, clock, page } = parts

  for (const { route, contentType, content } of page) {
    server.get(route, (_request, reply) => reply.type(contentType).send(content))
  }
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', (_request, reply) => {
    const status = node.status()
    if (status.ready) return { ready: true, role: status.raft.role }
    const why = status.raft.leader === null ? 'no leader is known' : 'it has not caught up'
    const message = `The node is not ready: ${why}.`
    return answerError(reply, new CountersignError('NODE_STARTING', message))
  })
  server.get('/status', () => statusView(node.status(), clock()))
  server.get<{ Querystring: ChangesQuery }>(
    '/changes',
    { schema: { querystring: changesQuery } },
    (request) => readChanges(node, filterOf(node, request.query)),
  )
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
  server.get('/events', { exposeHeadRoute: false }, (_request, reply) => {
    // Before the answer is taken from fastify, so that a refusal is an ordinary one.
    live.refuseWhenFull()
    reply.hijack()
    live.add(reply.raw, securityHeaders)
  })
}

export function addFailures(
  server: FastifyInstance,
  unexpected: (error: CountersignError, request: FastifyRequest) => void,
): void {
  server.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} ${withoutQuery(request.url)} here.`
    return answerError(
      reply,
      new CountersignError('UNKNOWN_ROUTE', message, { details: { routes } }),
    )
  })
  server.setErrorHandler((thrown, request, reply) => {
    const error = fromThrown(thrown)
    if (error.code === 'INTERNAL') unexpected(error, request)
    return answerError(reply, error)
  })
}

/** One line of JSON for the page: `</script>` and line ends cannot break out of an event. */
export async function snapshot(node: NodePort, clock: ViewClock): Promise<string> {
  const { changes, revision } = await readChanges(node, liveChanges)
  return JSON.stringify({ status: statusView(node.status(), clock), changes, revision })
}

async function readChanges(node: NodePort, filter: ChangeFilter): Promise<ChangesView> {
  const { value, revision } = await node.read('local', (reads) => changesView(reads, filter))
  return { ...value, revision }
}

function filterOf(node: NodePort, query: ChangesQuery): ChangeFilter {
  const { state, ...rest } = query
  if (state === undefined) return rest
  const states = Object.keys(node.status().machine.changesByState) as NonNullable<
    ChangeFilter['states']
  >
  const known = states.find((candidate) => candidate === state.toUpperCase())
  if (known === undefined) {
    const message = `There is no state "${state}"; the states are ${states.join(', ')}.`
    throw new CountersignError('INPUT_INVALID', message, { details: { states } })
  }
  return { ...rest, states: [known] }
}

function withoutQuery(url: string): string {
  return url.slice(0, 200).split('?')[0] ?? ''
}
