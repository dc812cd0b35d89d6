import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { logIndex } from '../../src/raft/index.js'
import { bodyBytesMax, headerBytesMax } from '../../src/status/limits.js'
import { createStatusServer } from '../../src/status/server.js'
import { FakeNode, openedAt, starting } from './fake-node.js'

interface Scene {
  readonly node: FakeNode
  readonly server: FastifyInstance
  readonly logged: string[]
}

function scene(t: Test): Scene {
  const node = new FakeNode()
  const logged: string[] = []
  const server = createStatusServer({
    node,
    listen: '127.0.0.1:0',
    wallMs: () => openedAt + 5,
    logger: { error: (facts, message) => logged.push(`${message}: ${String(facts['err'])}`) },
  })
  t.teardown(() => server.close())
  return { node, server, logged }
}

async function json(server: FastifyInstance, url: string): Promise<Record<string, unknown>> {
  return (await server.inject(url)).json()
}

const id = (letter: string): string => letter.repeat(32)

await t.test('health: the process answers, whatever the cluster does', async (t) => {
  const { node, server } = scene(t)
  node.ready = false
  node.raft = { ...node.raft, leader: null }
  const answer = await server.inject('/healthz')
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { status: 'ok' })
})

await t.test('readiness says why not', async (t) => {
  const { node, server } = scene(t)
  t.strictSame((await server.inject('/readyz')).json(), { ready: true, role: 'leader' })
  node.ready = false
  const behind = await server.inject('/readyz')
  t.equal(behind.statusCode, 503)
  t.match(behind.json(), {
    error: { code: 'NODE_STARTING', message: /caught up/, retryable: true },
  })
  node.raft = { ...node.raft, leader: null, role: 'candidate' }
  t.match(await json(server, '/readyz'), { error: { message: /no leader is known/ } })
})

await t.test('status of a leader: everything, with the lag of each peer', async (t) => {
  const { node, server } = scene(t)
  node.changes = [
    { changeId: id('a'), state: 'OPEN', title: 'one' },
    { changeId: id('b'), state: 'APPROVED', title: 'two' },
    { changeId: id('c'), state: 'ACTIVE', title: 'three' },
  ]
  const answer = await server.inject('/status')
  t.match(answer.headers['content-type'], /^application\/json/)
  t.match(answer.json(), {
    node: {
      id: 'node-1',
      incarnation: id('1'),
      version: '0.1.0',
      ready: true,
      clientAddress: '127.0.0.1:7201',
      startedAtMs: openedAt - 60_000,
      nowMs: openedAt + 5,
    },
    cluster: { id: 'c1'.repeat(32), name: 'example', featureLevel: 1 },
    role: 'leader',
    term: 4,
    leader: { id: 'node-1', clientAddress: '127.0.0.1:7201' },
    indexes: { last: 120, durable: 120, commit: 120, applied: 118 },
    stateDigest: 'ab12'.repeat(16),
    logTimeMs: openedAt,
    peers: [
      { id: 'node-2', connected: true, replication: { lag: 0, silentMs: 70, matchIndex: 120 } },
      {
        id: 'node-3',
        connected: true,
        replication: { lag: 3, state: 'replicate', nextIndex: 118 },
      },
    ],
    changes: { open: 2, byState: { OPEN: 1, APPROVED: 1, ACTIVE: 1, STALE: 0 } },
    refusals: 5,
    noise: 1,
    watchers: 2,
    configuration: { raft: { tickMs: 10 } },
  })
})

await t.test('status of a follower that has lost everybody', async (t) => {
  const { node, server } = scene(t)
  node.connected = false
  node.raft = { ...node.raft, role: 'follower', leader: null, peers: [] }
  t.match(await json(server, '/status'), {
    role: 'follower',
    leader: null,
    peers: [{ id: 'node-2', connected: false, replication: null, lastError: /refuses/ }, {}],
  })
})

await t.test('changes: what, who, where it stands, who could move it', async (t) => {
  const { node, server } = scene(t)
  const seat = { policy: 'pay', rule: 'r', line: 0, group: 'approvers' }
  node.changes = [
    {
      changeId: id('a'),
      state: 'OPEN',
      title: 'Raise the limit',
      approvedBy: ['bob'],
      seats: [
        { ...seat, filledBy: 'bob', candidates: [] },
        { ...seat, candidates: ['carol', 'dave'] },
      ],
    },
    {
      changeId: id('b'),
      state: 'STALE',
      title: 'Old',
      rejectedBy: ['carol'],
      reason: { code: 'STALE_BASE', message: 'The path has moved.' },
    },
    {
      changeId: id('c'),
      state: 'ACTIVE',
      title: 'Done',
      activatedIndex: 77,
      approvedBy: ['bob', 'carol'],
      paths: Array.from({ length: 25 }, (_, index) => `/p/${String(index)}`),
    },
  ]
  const answer = await json(server, '/changes')
  t.match(answer, {
    revision: 118,
    next: null,
    changes: [
      {
        changeId: id('a'),
        kind: 'config',
        author: 'alice',
        contentDigest: 'd'.repeat(64),
        shortCode: 'VQEX-VQEX-VQEX-VQEX',
        openedAtMs: openedAt,
        approvedBy: ['bob'],
        rejectedBy: [],
        missing: [{ group: 'approvers', candidates: ['carol', 'dave'] }],
        activatedIndex: null,
        reason: null,
      },
      { approvedBy: [], rejectedBy: ['carol'], missing: [], reason: { code: 'STALE_BASE' } },
      { approvedBy: ['bob', 'carol'], activatedIndex: 77, pathCount: 25 },
    ],
  })
  const { changes } = answer as { changes: { paths: string[] }[] }
  t.equal(changes[2]?.paths.length, 20)
})

await t.test('changes: pages and filters', async (t) => {
  const { node, server } = scene(t)
  node.changes = ['a', 'b', 'c', 'd', 'e'].map((letter) => ({
    changeId: id(letter),
    state: letter === 'e' ? 'ACTIVE' : 'OPEN',
    title: letter,
  }))
  const titles = (answer: Record<string, unknown>): string[] =>
    (answer['changes'] as { title: string }[]).map((change) => change.title)

  const first = await json(server, '/changes?limit=2')
  t.strictSame(titles(first), ['a', 'b'])
  const second = await json(server, `/changes?limit=2&before=${String(first['next'])}`)
  t.strictSame(titles(second), ['c', 'd'])
  const third = await json(server, `/changes?limit=2&before=${String(second['next'])}`)
  t.strictSame(titles(third), ['e'])
  t.equal(third['next'], null)
  t.strictSame(titles(await json(server, '/changes?state=active')), ['e'])

  await server.inject('/changes?prefix=/payments/&author=alice&state=OPEN')
  t.strictSame(node.filters.at(-1), {
    limit: 31,
    prefix: '/payments/',
    author: 'alice',
    states: ['OPEN'],
  })
})

await t.test('a query that is not valid names what is wrong', async (t) => {
  const { server } = scene(t)
  const rows: [string, RegExp][] = [
    ['limit=0', /limit must be >= 1/],
    ['limit=201', /limit must be <= 200/],
    ['limit=many', /limit must be integer/],
    ['before=9007199254740993', /before must be <=/],
    ['state=BROKEN', /no state "BROKEN".*OPEN, APPROVED/],
    ['surprise=1', /additional properties/],
    [`prefix=${'p'.repeat(1025)}`, /prefix must NOT have more than 1024/],
    ['limit=1&limit=2', /limit must be integer/],
  ]
  for (const [query, message] of rows) {
    const answer = await server.inject(`/changes?${query}`)
    t.equal(answer.statusCode, 400, query)
    t.match(answer.json(), { error: { code: 'INPUT_INVALID', message } }, query)
  }
})

await t.test('what does not exist is answered with what does', async (t) => {
  const { server } = scene(t)
  for (const [method, url] of [
    ['GET', '/admin?x=<script>'],
    ['POST', '/status'],
    ['DELETE', '/'],
    ['GET', '/page/../server.ts'],
    ['GET', '/page/%2e%2e/server.ts'],
    ['GET', '/page/page.ts'],
  ] as const) {
    const answer = await server.inject({ method, url })
    t.equal(answer.statusCode, 404, url)
    const { error } = answer.json<{ error: { details: { routes: { path: string }[] } } }>()
    t.match(error, { code: 'UNKNOWN_ROUTE', message: /^There is no/, retryable: false })
    t.notMatch(error, { message: /script/ })
    t.ok(error.details.routes.some((route) => route.path === '/status'))
  }
})

await t.test('every route of the list answers', async (t) => {
  const { server } = scene(t)
  const { error } = (await server.inject('/nowhere')).json<{
    error: { details: { routes: { path: string }[] } }
  }>()
  for (const { path } of error.details.routes) {
    if (path === '/events') continue
    t.equal((await server.inject(path)).statusCode, 200, path)
  }
})

await t.test('a node that cannot be read now says so with its code', async (t) => {
  const { node, server } = scene(t)
  node.failure = starting
  const answer = await server.inject('/changes')
  t.equal(answer.statusCode, 503)
  t.match(answer.json(), { error: { code: 'NODE_STARTING', message: /replays/ } })
})

await t.test('what nobody expected goes to the log, not to the stranger', async (t) => {
  const { node, server, logged } = scene(t)
  node.failure = new Error('the secret path /home/x')
  const answer = await server.inject('/changes')
  t.equal(answer.statusCode, 500)
  t.match(answer.json(), { error: { code: 'INTERNAL', details: {} } })
  t.notMatch(answer.body, /secret/)
  t.match(logged, [/secret path/])
})

await t.test('every answer carries the security headers', async (t) => {
  const { server } = scene(t)
  for (const url of ['/', '/status', '/nowhere', '/page/page.js', '/metrics']) {
    const { headers } = await server.inject(url)
    t.match(
      headers,
      {
        'content-security-policy': /^default-src 'none'; script-src 'self'/,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      },
      url,
    )
    t.notMatch(headers['content-security-policy'], /unsafe/)
  }
})

await t.test('the page loads nothing from elsewhere and has no inline code', async (t) => {
  const { server } = scene(t)
  const page = await server.inject('/')
  t.match(page.headers['content-type'], /^text\/html/)
  const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/gu)].map((match) => match[1] ?? '')
  t.ok(links.length > 0)
  for (const link of links) {
    t.match(link, /^\/[a-z]/)
    t.equal((await server.inject(link)).statusCode, 200, link)
  }
  t.notMatch(page.body, /<script>|<style|\son[a-z]+=|style="/)
  const script = await server.inject('/page/page.js')
  t.match(script.headers['content-type'], /^text\/javascript/)
  t.notMatch(script.body, /innerHTML|insertAdjacentHTML|document\.write|eval\(|https?:/)
  const css = await server.inject('/page/page.css')
  t.notMatch(css.body, /url\(|@import/)
})

await t.test('an address that cannot be decoded is refused like any other input', async (t) => {
  const { server } = scene(t)
  const answer = await server.inject('/%ff')
  t.equal(answer.statusCode, 400)
  t.match(answer.json(), { error: { code: 'INPUT_INVALID' } })
  t.equal(answer.headers['x-content-type-options'], 'nosniff')
})

await t.test(
  'whoever does not finish a request is cut, not only looked at now and then',
  async (t) => {
    const node = new FakeNode()
    const server = createStatusServer({ node, listen: '127.0.0.1:0', requestTimeoutMs: 200 })
    t.teardown(() => server.close())
    const url = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
    const socket = net.connect(Number(url.port), url.hostname)
    socket.on('error', () => undefined).resume()
    socket.write('GET /healthz HTTP/1.1\r\nHost: node\r\n')
    await once(socket, 'close')
    // On a busy machine a whole request may take too long as well: then it is made again.
    let status = 0
    while (status !== 200) {
      status = await fetch(new URL('/healthz', url)).then(
        (answer) => answer.status,
        () => 0,
      )
    }
    t.equal(status, 200, 'others are served')
  },
)

await t.test('a body and a head have their bounds', async (t) => {
  const { server } = scene(t)
  const posted = (bytes: number) =>
    server.inject({
      method: 'POST',
      url: '/status',
      headers: { 'content-type': 'text/plain' },
      payload: 'x'.repeat(bytes),
    })
  t.equal((await posted(bodyBytesMax)).statusCode, 404, 'read, and there is no such route')
  const large = await posted(bodyBytesMax + 1)
  t.equal(large.statusCode, 413)
  t.match(large.json(), { error: { code: 'TOO_LARGE' } })

  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const got = async (bytes: number): Promise<number> => {
    const answer = await fetch(new URL('/healthz', url), { headers: { pad: 'x'.repeat(bytes) } })
    return answer.status
  }
  // What else the head holds is the business of fetch, and less than this.
  const others = 512
  t.equal(await got(headerBytesMax - others), 200)
  t.equal(await got(headerBytesMax), 431)
})

await t.test('closing lets go of the node', async (t) => {
  const { node, server } = scene(t)
  await server.ready()
  t.ok(node.listeners > 0)
  await server.close()
  t.equal(node.listeners, 0)
  node.raft = { ...node.raft, appliedIndex: logIndex(119) }
  t.doesNotThrow(() => {
    node.applied()
  })
})
