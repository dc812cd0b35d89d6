import t from 'tap'
import type { Command } from '../../src/machine/index.js'
import { LogClock } from '../../src/node/log-clock.js'
import { term } from '../../src/raft/index.js'
import { rawPublicKey, type Envelope, type Signer } from '../../src/signing/index.js'
import { generateSigner } from '../../src/signing/key-file.js'

const ids = ['a', 'b', 'c']
const clusterId = 'c1'.repeat(32)
const startMs = 1_700_000_000_000

/** Time that moves only by `pass`; timers fire in order. */
class ManualClock {
  nowMs = 0
  skewMs = 0
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  monotonicMs = (): number => this.nowMs
  wallMs = (): number => startMs + this.nowMs + this.skewMs
  after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.nowMs + ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }

  pass(ms: number): void {
    const end = this.nowMs + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((each) => each !== due)
      this.nowMs = Math.max(this.nowMs, due.at)
      due.callback()
    }
    this.nowMs = end
  }
}

class Fixture {
  readonly clock = new ManualClock()
  readonly machine = {
    logTime: startMs,
    lastTickIndex: 0,
    pending: false,
    next: undefined as number | undefined,
    startsWait: false,
    timedPending: () => ({
      pending: this.machine.pending,
      startsWait: this.machine.startsWait,
      ...(this.machine.next === undefined ? {} : { next: this.machine.next }),
    }),
    status: () => ({ featureLevel: 1 }),
  }
  readonly requests: { to: string; id: number; lastIndex: number }[] = []
  readonly sent: Envelope[] = []
  readonly ticks: Command[] = []
  readonly distrusted: string[] = []
  readonly signers = new Map<string, Signer>(ids.map((id) => [id, generateSigner()]))
  readonly logClock: LogClock

  constructor() {
    const nodeKeys = new Map(
      [...this.signers].map(([id, signer]) => [
        id,
        rawPublicKey(signer.publicKeySpki) ?? new Uint8Array(0),
      ]),
    )
    this.logClock = this.clockOf('a', nodeKeys)
    this.#nodeKeys = nodeKeys
  }

  readonly #nodeKeys: ReadonlyMap<string, Uint8Array>

  clockOf(nodeId: string, nodeKeys: ReadonlyMap<string, Uint8Array>): LogClock {
    const signer = this.signers.get(nodeId)
    if (signer === undefined) throw new Error(nodeId)
    return new LogClock({
      clock: this.clock,
      nodeId,
      clusterId,
      signer,
      nodeKeys: () => nodeKeys,
      requestStamp: (to, request) => this.requests.push({ to, ...request }),
      sendStamp: (_to, stamp) => this.sent.push(stamp.envelope),
      lastIndex: () => 10,
      isCaughtUp: () => true,
      machine: this.machine,
      propose: (tick) => this.ticks.push(tick),
      distrustLeader: (why) => this.distrusted.push(why),
    })
  }

  lead(): void {
    this.logClock.leadershipChanged({ role: 'leader', term: term(1), leader: 'a' })
  }

  follow(): void {
    this.logClock.leadershipChanged({ role: 'follower', term: term(1), leader: 'b' })
  }

  /** The stamp that node `id` gives now. */
  stampOf(id: string, lastIndex = 0): Envelope {
    this.clockOf(id, this.#nodeKeys).stampRequested('a', { id: 1, lastIndex })
    const stamp = this.sent.pop()
    if (stamp === undefined) throw new Error(`${id} gave no stamp`)
    return stamp
  }

  applyTick(): void {
    this.machine.lastTickIndex += 1
    this.machine.logTime = this.clock.wallMs()
    this.logClock.applied()
  }
}

await t.test('nothing timed pending: no Tick, however long', (t) => {
  const at = new Fixture()
  at.lead()
  at.clock.pass(3_600_000)
  t.same(at.requests, [])
  t.end()
})

await t.test('a start that waits brings a Tick within a second', (t) => {
  const at = new Fixture()
  at.lead()
  at.machine.pending = true
  at.logClock.applied()
  at.clock.pass(1)
  at.logClock.stampReceived('b', { id: 1, envelope: at.stampOf('b') })
  at.applyTick()
  const rounds = () => new Set(at.requests.map(({ id }) => id)).size
  t.equal(rounds(), 1)
  at.clock.pass(2000)
  t.equal(rounds(), 1, 'without one, the ten seconds hold')
  at.machine.startsWait = true
  at.logClock.applied()
  at.clock.pass(1)
  t.equal(rounds(), 2)
  t.end()
})

await t.test(
  'a command after an idle spell waits for a round, and a Tick goes before it',
  async (t) => {
    const at = new Fixture()
    at.lead()
    at.clock.pass(60_000)
    let isReady = false
    const waiting = at.logClock.beforeCommand().then(() => (isReady = true))
    t.same(
      at.requests.map(({ to }) => to),
      ['b', 'c'],
    )
    await Promise.resolve()
    t.notOk(isReady)
    const id = at.requests[0]?.id ?? 0
    at.logClock.stampReceived('b', { id, envelope: at.stampOf('b') })
    t.match(at.ticks, [{ kind: 'tick' }])
    t.equal(at.ticks[0]?.kind === 'tick' && at.ticks[0].stamps.length, 2, 'exactly a majority')
    await waiting
    at.logClock.stampReceived('c', { id, envelope: at.stampOf('c') })
    t.equal(at.ticks.length, 1, 'the third stamp is not needed')
    await at.logClock.beforeCommand()
    t.equal(at.requests.length, 2, 'no second round while the Tick is on its way')
  },
)

await t.test('a round without answers lets the command go on', async (t) => {
  const at = new Fixture()
  at.lead()
  at.clock.pass(60_000)
  const waiting = at.logClock.beforeCommand()
  at.clock.pass(500)
  await waiting
  t.same(at.ticks, [])
})

await t.test('fresh log time, or no leadership: a command goes at once', async (t) => {
  const at = new Fixture()
  await at.logClock.beforeCommand()
  at.lead()
  at.clock.pass(9_000)
  await at.logClock.beforeCommand()
  t.same(at.requests, [])
})

await t.test('while something is pending: every ten seconds, and at the deadline', (t) => {
  const at = new Fixture()
  at.machine.pending = true
  at.lead()
  const rounds: number[] = []
  for (let ms = 0; ms < 30_000; ms += 100) {
    at.clock.pass(100)
    const request = at.requests.pop()
    if (request === undefined) continue
    at.requests.length = 0
    rounds.push(at.clock.nowMs)
    at.logClock.stampReceived('b', { id: request.id, envelope: at.stampOf('b') })
    at.applyTick()
    at.machine.next = startMs + 13_000
  }
  t.same(rounds, [100, 10_000, 13_000, 23_000])
  t.end()
})

await t.test('stamps that would be refused are not used', (t) => {
  const at = new Fixture()
  at.machine.pending = true
  at.lead()
  at.clock.pass(1)
  const id = at.requests[0]?.id ?? 0
  const good = at.stampOf('b')
  at.logClock.stampReceived('c', { id, envelope: good })
  at.logClock.stampReceived('b', { id: id + 1, envelope: good })
  at.logClock.stampReceived('b', { id, envelope: { ...good, signature: new Uint8Array(64) } })
  at.clock.skewMs = -60_000
  const late = at.stampOf('b')
  at.clock.skewMs = 0
  at.logClock.stampReceived('b', { id, envelope: late })
  t.same(at.ticks, [])
  at.logClock.stampReceived('b', { id, envelope: good })
  t.equal(at.ticks.length, 1)
  t.end()
})

await t.test('a node whose log has not reached the last Tick gives no stamp', (t) => {
  const at = new Fixture()
  at.logClock.stampRequested('b', { id: 1, lastIndex: 11 })
  t.same(at.sent, [])
  at.logClock.stampRequested('b', { id: 1, lastIndex: 10 })
  t.equal(at.sent.length, 1)
  t.end()
})

await t.test('a follower distrusts a leader that sends no Tick for 30 s while one is due', (t) => {
  const at = new Fixture()
  at.follow()
  at.clock.pass(120_000)
  t.same(at.distrusted, [], 'idle log time is no fault')
  at.machine.pending = true
  at.logClock.applied()
  at.follow()
  at.clock.pass(25_000)
  t.same(at.distrusted, [])
  at.clock.pass(20_000)
  t.equal(at.distrusted.length, 1)
  t.end()
})

await t.test('Ticks that hold time back do not help, honest ones do', (t) => {
  const stalling = new Fixture()
  const honest = new Fixture()
  for (const at of [stalling, honest]) {
    at.machine.pending = true
    at.follow()
    for (let round = 0; round < 12; round += 1) {
      at.clock.pass(10_000)
      if (at === honest) at.applyTick()
      else {
        at.machine.lastTickIndex += 1
        at.machine.logTime += 1
        at.logClock.applied()
      }
    }
  }
  t.ok(stalling.distrusted.length >= 1)
  t.same(honest.distrusted, [])
  t.end()
})
