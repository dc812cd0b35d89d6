import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Live, type LiveOptions } from '../../src/status/live.js'
import { startStatus } from '../../src/status/index.js'
import { FakeNode, starting } from './fake-node.js'

interface Event {
  readonly name: string
  readonly data: unknown
}

/** Reads events one by one, as a browser would. */
class EventReader {
  #text = ''
  readonly #response: http.IncomingMessage

  constructor(response: http.IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      this.#text += text
    })
  }

  async next(): Promise<Event> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end === -1) {
        await once(this.#response, 'data')
        continue
      }
      const block = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + 2)
      const match = /^event: (\w+)\ndata: (.*)$/u.exec(block)
      if (match !== null) return { name: match[1] ?? '', data: JSON.parse(match[2] ?? '') }
    }
  }
}

async function get(t: Test, url: string): Promise<http.IncomingMessage> {
  const request = http.get(url, { agent: false })
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.on('error', () => undefined)
  return response
}

interface Served {
  readonly live: Live
  readonly url: string
}

async function serve(t: Test, options: LiveOptions): Promise<Served> {
  const live = new Live(options)
  const server = http.createServer((_request, response) => {
    live.add(response, {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    live.close()
    server.close()
    server.closeAllConnections()
  })
  return { live, url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` }
}

await t.test(
  'a listener hears at once, after what is applied, and when nothing happens',
  async (t) => {
    let made = 0
    const { live, url } = await serve(t, {
      snapshot: () => Promise.resolve(JSON.stringify(++made)),
      intervalMs: 60_000,
      gatherMs: 20,
    })
    const response = await get(t, url)
    t.match(response.headers, { 'content-type': 'text/event-stream; charset=utf-8' })
    const events = new EventReader(response)
    t.strictSame(await events.next(), { name: 'snapshot', data: 1 })
    live.changed()
    live.changed()
    live.changed()
    t.strictSame(await events.next(), { name: 'snapshot', data: 2 })
    t.equal(made, 2, 'what came together is told together')

    const steady = await serve(t, { snapshot: () => Promise.resolve('0'), intervalMs: 10 })
    const heard = new EventReader(await get(t, steady.url))
    for (let count = 0; count < 3; count += 1) {
      t.strictSame(await heard.next(), { name: 'snapshot', data: 0 })
    }
  },
)

await t.test('nothing is made while nobody listens', async (t) => {
  let made = 0
  const { live, url } = await serve(t, {
    snapshot: () => Promise.resolve(String(++made)),
    intervalMs: 10,
    gatherMs: 1,
  })
  live.changed()
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(made, 0)
  const response = await get(t, url)
  await new EventReader(response).next()
  response.destroy()
  while (live.listeners > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const before = made
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(made, before)
})

await t.test('a snapshot that cannot be made is told with its code', async (t) => {
  let fails = true
  const { live, url } = await serve(t, {
    snapshot: () => (fails ? Promise.reject(starting) : Promise.resolve('1')),
    intervalMs: 60_000,
    gatherMs: 1,
  })
  const events = new EventReader(await get(t, url))
  t.match(await events.next(), { name: 'trouble', data: { code: 'NODE_STARTING' } })
  fails = false
  live.changed()
  t.strictSame(await events.next(), { name: 'snapshot', data: 1 }, 'and it goes on')
})

await t.test('a listener that does not read is cut, and costs the others nothing', async (t) => {
  const large = JSON.stringify('x'.repeat(200_000))
  const { live, url } = await serve(t, {
    snapshot: () => Promise.resolve(large),
    intervalMs: 5,
    // Long beside any pause of a busy machine: the one that reads must not be taken for stuck.
    stuckAfterMs: 1_000,
  })
  const sleeper = await get(t, url)
  sleeper.pause()
  const awake = await get(t, url)
  let bytes = 0
  awake.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  while (live.listeners > 1) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(live.listeners, 1)
  t.ok(bytes > 0)
})

await t.test('enough is enough: one listener too many is refused as BUSY', async (t) => {
  const live = new Live({ snapshot: () => Promise.resolve('1'), listenersMax: 0 })
  t.throws(
    () => {
      live.refuseWhenFull()
    },
    { code: 'BUSY' },
  )

  const status = await startStatus({ node: new FakeNode(), listen: '127.0.0.1:0' })
  t.teardown(() => status.close())
  for (let count = 0; count < 64; count += 1) await get(t, `${status.url}/events`)
  const refused = await get(t, `${status.url}/events`)
  t.equal(refused.statusCode, 429)
  let body = ''
  for await (const chunk of refused) body += String(chunk)
  t.match(JSON.parse(body), { error: { code: 'BUSY', retryable: true } })
})

await t.test(
  'over a real socket: snapshot, security headers, and an end when the node stops',
  async (t) => {
    const node = new FakeNode()
    node.changes = [{ changeId: 'a'.repeat(32), state: 'OPEN', title: '</script>\n\ndata: x' }]
    const status = await startStatus({ node, listen: '127.0.0.1:0' })
    const response = await get(t, `${status.url}/events`)
    t.match(response.headers, {
      'content-security-policy': /default-src 'none'/,
      'cache-control': 'no-store',
    })
    const events = new EventReader(response)
    t.match(await events.next(), {
      name: 'snapshot',
      data: {
        status: { node: { id: 'node-1' } },
        changes: [{ title: '</script>\n\ndata: x' }],
        revision: 118,
      },
    })
    const ended = once(response, 'close')
    await status.close()
    await ended
    t.equal(node.listeners, 0)
  },
)

await t.test('an address that is taken is a configuration error', async (t) => {
  const first = await startStatus({ node: new FakeNode(), listen: '127.0.0.1:0' })
  t.teardown(() => first.close())
  const taken = first.url.slice('http://'.length)
  const second = startStatus({ node: new FakeNode(), listen: taken })
  await t.rejects(second, { code: 'CONFIG_INVALID', message: /Cannot listen on 127/ })
})
