/** The proxy of one link, with plain sockets at both ends. */
import net from 'node:net'
import t, { type Test } from 'tap'
import { FaultProxy, type ProxyClock } from '../../cluster/fault-proxy.js'
import { loopbackHosts } from '../../cluster/loopback.js'

/** One end of a connection; remembers what arrived. */
class End {
  readonly socket: net.Socket
  text = ''
  length = 0
  hasEnded = false
  closed: 'clean' | 'reset' | undefined
  readonly #waiting = new Set<() => void>()

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      if (this.text.length < 1000) this.text += bytes.toString('utf8')
      this.length += bytes.length
      this.#look()
    })
    socket.on('end', () => {
      this.hasEnded = true
      this.#look()
    })
    socket.on('error', () => undefined)
    socket.on('close', (hadError) => {
      this.closed = hadError ? 'reset' : 'clean'
      this.#look()
    })
  }

  async until(condition: (end: End) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!condition(this)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }
}

/** Time that passes only when it is told to. */
class HandClock implements ProxyClock {
  #nowMs = 0
  readonly #due = new Set<{ readonly atMs: number; readonly act: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, act: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, act }
    this.#due.add(entry)
    return () => this.#due.delete(entry)
  }

  pass(ms: number): void {
    this.#nowMs += ms
    for (const entry of [...this.#due]) {
      if (entry.atMs > this.#nowMs || !this.#due.delete(entry)) continue
      entry.act()
    }
  }
}

/**
 * A marker that goes both ways on a link without faults, twice: whatever the kernel held for this
 * process when it was sent has been delivered by then. So what has not arrived was held back.
 */
async function marker(t: Test): Promise<void> {
  const { near, far } = await (await Link.open(t)).connect()
  for (const text of ['m', 'mm']) {
    near.socket.write('m')
    await far.until((end) => end.text === text)
    far.socket.write('m')
    await near.until((end) => end.text === text)
  }
}

class Link {
  readonly proxy: FaultProxy
  readonly #accepted: End[]
  readonly #waiting: (() => void)[] = []

  private constructor(proxy: FaultProxy, accepted: End[]) {
    this.proxy = proxy
    this.#accepted = accepted
  }

  static async open(t: Test, clock?: ProxyClock): Promise<Link> {
    const [host = '', proxyHost = ''] = loopbackHosts(2)
    const accepted: End[] = []
    const server = net.createServer((socket) => {
      accepted.push(new End(socket))
      for (const look of link.#waiting.splice(0)) look()
    })
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const { port } = server.address() as net.AddressInfo
    const proxy = await FaultProxy.open({
      ...{ host: proxyHost, target: { host, port } },
      ...(clock && { clock }),
    })
    const link = new Link(proxy, accepted)
    t.teardown(async () => {
      await proxy.close()
      for (const { socket } of accepted) socket.destroy()
      server.close()
    })
    return link
  }

  dial(): End {
    const [host = '', port = ''] = this.proxy.address.split(':')
    return new End(net.connect({ host, port: Number(port) }))
  }

  /** Both ends of a new connection. */
  async connect(): Promise<{ readonly near: End; readonly far: End }> {
    const before = this.#accepted.length
    const near = this.dial()
    while (this.#accepted.length === before) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    return { near, far: this.#accepted[before]! }
  }
}

await t.test('bytes pass both ways, and an end is handed on after all of them', async (t) => {
  const { near, far } = await (await Link.open(t)).connect()
  near.socket.write('there')
  await far.until(({ text }) => text === 'there')
  far.socket.write('and back')
  await near.until(({ text }) => text === 'and back')
  const much = Buffer.alloc(3_000_000, 'x')
  near.socket.end(much)
  await far.until(({ hasEnded }) => hasEnded)
  t.equal(far.length, 5 + much.length)
  await near.until(({ closed }) => closed !== undefined)
  t.equal(near.closed, 'clean')
})

await t.test('a silent direction holds what is sent; the other one goes on', async (t) => {
  const link = await Link.open(t)
  const { near, far } = await link.connect()
  await link.proxy.set({ forward: { silent: true } })
  near.socket.write('held')
  far.socket.write('free')
  await near.until(({ text }) => text === 'free')
  t.equal(far.text, '')
  near.socket.resetAndDestroy()
  await marker(t)
  t.equal(far.closed, undefined, 'who is cut off does not learn that the other has gone')
  await link.proxy.set({})
  await far.until(({ closed }) => closed !== undefined)
})

await t.test('what was sent into the silence arrives after it', async (t) => {
  const link = await Link.open(t)
  const { near, far } = await link.connect()
  await link.proxy.set({ forward: { silent: true }, backward: { silent: true } })
  const late = link.dial()
  near.socket.write('one ')
  near.socket.write('two')
  late.socket.write('three')
  await marker(t)
  t.equal(far.text, '')
  await link.proxy.set({})
  await far.until(({ text }) => text === 'one two')
  t.equal(late.closed, undefined, 'a connection made in the silence stands')
  late.socket.destroy()
})

await t.test(
  'refusing resets what stands and refuses what comes, until it is healed',
  async (t) => {
    const link = await Link.open(t)
    const { near, far } = await link.connect()
    const { address } = link.proxy
    await link.proxy.set({ refuse: true })
    await near.until(({ closed }) => closed === 'reset')
    await far.until(({ closed }) => closed !== undefined)
    const refused = link.dial()
    await refused.until(({ closed }) => closed === 'reset')
    await link.proxy.set({})
    t.equal(link.proxy.address, address, 'at the same address')
    const again = await link.connect()
    again.near.socket.write('again')
    await again.far.until(({ text }) => text === 'again')
  },
)

await t.test('refusing also closes a connection of which one half has ended', async (t) => {
  const link = await Link.open(t)
  const { near, far } = await link.connect()
  far.socket.allowHalfOpen = true
  near.socket.end('last')
  await far.until(({ hasEnded }) => hasEnded)
  await link.proxy.set({ refuse: true })
  await near.until(({ closed }) => closed !== undefined)
  // Nobody tells it, since it has read an end already: it learns by writing, twice.
  far.socket.write('to nobody')
  await marker(t)
  far.socket.write('to nobody')
  await far.until(({ closed }) => closed !== undefined)
  t.equal(far.text, 'last')
})

await t.test('a delay keeps the order and is paid by every byte', async (t) => {
  const clock = new HandClock()
  const link = await Link.open(t, clock)
  const { near, far } = await link.connect()
  await link.proxy.set({ forward: { delayMs: 120 } })
  for (const part of ['a', 'b', 'c']) near.socket.write(part)
  await marker(t)
  clock.pass(119)
  await marker(t)
  t.equal(far.text, '', 'it never arrives early')
  clock.pass(1)
  await far.until(({ text }) => text === 'abc')
})

await t.test('little bandwidth is never exceeded, however small the pieces', async (t) => {
  const clock = new HandClock()
  const link = await Link.open(t, clock)
  const { near, far } = await link.connect()
  await link.proxy.set({ forward: { bytesPerSecond: 100_000 } })
  for (let n = 0; n < 30; n += 1) near.socket.write(Buffer.alloc(1000))
  const sliceMs = 20
  const sliceBytes = 2000
  let slices = 1
  for (; far.length < 30_000 && slices < 100; slices += 1) {
    await marker(t)
    if (far.length > slices * sliceBytes) break
    clock.pass(sliceMs)
  }
  await far.until(({ length }) => length === 30_000)
  t.ok(slices >= 15, `never faster: ${String(slices)} slices for 30 kB`)
  await link.proxy.set({})
  near.socket.write(Buffer.alloc(1_000_000))
  await far.until(({ length }) => length === 1_030_000)
})

await t.test('a target that is dead refuses through the proxy as well', async (t) => {
  const [host = '', proxyHost = ''] = loopbackHosts(2)
  const proxy = await FaultProxy.open({ host: proxyHost, target: { host, port: 9 } })
  t.teardown(() => proxy.close())
  const [at = '', port = ''] = proxy.address.split(':')
  const near = new End(net.connect({ host: at, port: Number(port) }))
  await near.until(({ closed }) => closed !== undefined)
  t.equal(near.text, '')
})
