import t, { type Test } from 'tap'
import { Drive } from '../../src/node/drive.js'
import {
  foundingSnapshot,
  logIndex,
  origin,
  Raft,
  type Entry,
  type Message,
  type Output,
  type ReplyMessage,
  type SnapshotMeta,
  term,
} from '../../src/raft/index.js'
import { MemoryLogDisk, type LogBatch, type LogStore } from '../../src/storage/index.js'

const voters = ['a', 'b', 'c']
const mebibyte = 1024 * 1024

/** Three real cores on memory disks; time moves only by `tick`. */
class Trio {
  readonly nodes = new Map<string, TrioNode>()
  readonly disks = new Map(voters.map((id) => [id, new MemoryLogDisk()]))

  constructor() {
    for (const id of voters) this.start(id)
  }

  start(id: string): void {
    const disk = this.disks.get(id)
    if (disk !== undefined) this.nodes.set(id, new TrioNode(this, id, disk))
  }

  stop(id: string): void {
    this.nodes.get(id)?.kill()
    this.nodes.delete(id)
  }

  async tick(): Promise<void> {
    for (const node of this.nodes.values()) node.drive.push({ kind: 'tick', ticks: 1 })
    await turns()
  }

  async until(t: Test, what: string, holds: () => boolean): Promise<void> {
    for (let tick = 0; tick < 2000 && !holds(); tick += 1) await this.tick()
    t.ok(holds(), what)
  }

  leader(): TrioNode | undefined {
    return [...this.nodes.values()].find((node) => node.core.status().role === 'leader')
  }
}

class TrioNode {
  readonly core: Raft
  readonly drive: Drive
  readonly applied: string[] = []
  readonly outputs: Output[] = []
  failure: unknown = null
  #dead = false

  constructor(trio: Trio, id: string, disk: MemoryLogDisk) {
    const { logStore, recovered } = disk.open()
    let seed = id.charCodeAt(0)
    this.core = new Raft({
      id,
      snapshot: foundingSnapshot(voters),
      anchor: origin,
      hardState: recovered.hardState,
      entries: recovered.entries,
      applied: logIndex(0),
      heartbeatTicks: 10,
      electionTicksMin: 100,
      electionTicksMax: 200,
      refusalTicksMax: 4,
      limits: {
        appendBytesMax: mebibyte,
        inflightMessagesMax: 256,
        inflightBytesMax: 8 * mebibyte,
        uncommittedBytesMax: 64 * mebibyte,
        applyingBytesMax: 16 * mebibyte,
        keptEntries: 1000,
        pinTicksMax: 6000,
        pinnedBytesMax: 64 * mebibyte,
      },
      random: () => {
        seed = (seed * 1103515245 + 12345) % 2147483648
        return seed / 2147483648
      },
      trace: false,
    })
    this.drive = new Drive({
      core: this.core,
      logStore,
      defer: setImmediate,
      send: (to, messages) => {
        if (this.#dead) return
        const target = trio.nodes.get(to)
        for (const message of messages) target?.drive.push({ kind: 'receive', message })
      },
      apply: (entries) => {
        for (const entry of entries) {
          if (entry.kind === 'command') this.applied.push(new TextDecoder().decode(entry.payload))
        }
        const last = entries.at(-1)
        if (last !== undefined) this.drive.push({ kind: 'applied', index: last.index })
      },
      restore: () => undefined,
      fetchSnapshot: () => undefined,
      report: (output) => this.outputs.push(output),
      failed: (thrown) => {
        this.failure = thrown
      },
    })
  }

  propose(text: string): void {
    this.drive.push({ kind: 'propose', id: 1, payload: new TextEncoder().encode(text) })
  }

  kill(): void {
    this.#dead = true
    void this.drive.stop()
  }
}

async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((next) => setImmediate(next))
}

await t.test('three nodes elect, commit, survive the leader, and catch up', async (t) => {
  const trio = new Trio()
  await trio.until(t, 'a leader', () => trio.leader() !== undefined)
  const first = trio.leader()
  first?.propose('one')
  await trio.until(t, 'applied on all', () =>
    [...trio.nodes.values()].every((node) => node.applied.length === 1),
  )

  const gone = first?.core.status().id ?? ''
  trio.stop(gone)
  await trio.until(t, 'another leader', () => trio.leader() !== undefined)
  trio.leader()?.propose('two')
  await trio.until(t, 'applied on both', () =>
    [...trio.nodes.values()].every((node) => node.applied.length === 2),
  )

  trio.start(gone)
  await trio.until(t, 'the restarted node has everything', () => {
    const applied = trio.nodes.get(gone)?.applied ?? []
    return applied.join() === 'one,two'
  })
  for (const node of trio.nodes.values()) t.equal(node.failure, null)
})

/** A core that answers each event with the outputs of a script, and notes what it was told. */
class ScriptedCore {
  readonly told: string[] = []
  readonly script: Partial<Output>[] = []

  step(event: { readonly kind: string; readonly token?: number }): void {
    this.told.push(event.kind === 'persisted' ? `persisted ${String(event.token)}` : event.kind)
  }

  takeOutput(): Output | null {
    const next = this.script.shift()
    if (next === undefined) return null
    return {
      send: [],
      persist: null,
      restore: null,
      apply: [],
      proposals: [],
      reads: [],
      memberships: [],
      fetchSnapshot: null,
      leadership: null,
      configuration: null,
      trace: [],
      ...next,
    }
  }
}

/** A disk whose writes end when the test says so. */
class HeldStore implements LogStore {
  readonly batches: LogBatch[] = []
  readonly #held: { resolve: () => void; reject: (error: Error) => void }[] = []

  write(batch: LogBatch): Promise<void> {
    this.batches.push(batch)
    return new Promise((resolve, reject) => this.#held.push({ resolve, reject }))
  }

  chainAt(): Promise<null> {
    return Promise.resolve(null)
  }

  async finish(): Promise<void> {
    this.#held.shift()?.resolve()
    await turns()
  }

  async fail(): Promise<void> {
    this.#held.shift()?.reject(new Error('EIO'))
    await turns()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function scripted(): {
  core: ScriptedCore
  store: HeldStore
  sent: string[]
  failures: unknown[]
  drive: Drive
  feed: (output: Partial<Output>) => Promise<void>
} {
  const core = new ScriptedCore()
  const store = new HeldStore()
  const sent: string[] = []
  const failures: unknown[] = []
  const drive = new Drive({
    core,
    logStore: store,
    defer: setImmediate,
    send: (_to, messages: readonly Message[]) => {
      for (const message of messages) sent.push(`${message.kind} ${String(message.term)}`)
    },
    restore: ({ index }) => sent.push(`restore ${String(index)}`),
    fetchSnapshot: ({ from }) => sent.push(`fetch from ${from}`),
    apply: (entries) => sent.push(`apply ${String(entries.length)}`),
    report: () => undefined,
    failed: (thrown) => failures.push(thrown),
  })
  const feed = async (output: Partial<Output>): Promise<void> => {
    core.script.push(output)
    drive.push({ kind: 'tick', ticks: 1 })
    await turns()
  }
  return { core, store, sent, failures, drive, feed }
}

const reply = (at: number): ReplyMessage => ({
  kind: 'voteReply',
  from: 'a',
  to: 'b',
  term: term(at),
  granted: true,
})

const write = (
  token: number,
  parts: {
    truncateAfter?: number
    entries?: readonly Entry[]
    silent?: true
    install?: SnapshotMeta
    purgeTo?: number
  } = {},
): Partial<Output> => ({
  persist: {
    token,
    hardState:
      parts.silent === true ? null : { term: term(token), votedFor: null, commit: logIndex(0) },
    truncateAfter: parts.truncateAfter === undefined ? null : logIndex(parts.truncateAfter),
    entries: parts.entries ?? [],
    install: parts.install ?? null,
    purgeTo: parts.purgeTo === undefined ? null : logIndex(parts.purgeTo),
    thenSend: [reply(token)],
  },
})

await t.test('requests leave at once, replies only after the write', async (t) => {
  const { core, store, sent, feed } = scripted()
  await feed({
    ...write(1),
    send: [{ kind: 'timeoutNow', from: 'a', to: 'b', term: term(1) }],
  })
  t.same(sent, ['timeoutNow 1'])
  t.notOk(core.told.includes('persisted 1'))
  await store.finish()
  t.same(sent, ['timeoutNow 1', 'voteReply 1'])
  t.ok(core.told.includes('persisted 1'))
})

await t.test('effects that gather during a write become one write', async (t) => {
  const { core, store, sent, feed } = scripted()
  await feed(write(1))
  await feed(write(2))
  await feed(write(3))
  t.equal(store.batches.length, 1)
  await store.finish()
  t.equal(store.batches.length, 2)
  t.equal(store.batches[1]?.hardState?.term, 3, 'the newest hard state')
  t.same(sent, ['voteReply 1'])
  await store.finish()
  t.same(sent, ['voteReply 1', 'voteReply 2', 'voteReply 3'])
  t.same(
    core.told.filter((told) => told.startsWith('persisted')),
    ['persisted 1', 'persisted 2', 'persisted 3'],
  )
})

await t.test('a truncation begins a write of its own', async (t) => {
  const { store, feed } = scripted()
  await feed(write(1))
  await feed(write(2))
  await feed(write(3, { truncateAfter: 4 }))
  await store.finish()
  t.equal(store.batches[1]?.truncateAfter, null)
  await store.finish()
  t.equal(store.batches[2]?.truncateAfter, 4)
})

await t.test('an installed snapshot begins a write of its own, a purge joins one', async (t) => {
  const { store, feed } = scripted()
  await feed(write(1))
  await feed(write(2, { purgeTo: 3 }))
  await feed(write(3))
  await feed(write(4, { install: { ...foundingSnapshot(['a']), index: logIndex(9) } }))
  await store.finish()
  t.match(store.batches[1], { install: null, purgeTo: 3, hardState: { term: 3 } })
  await store.finish()
  t.match(store.batches[2], { install: { index: 9 }, purgeTo: null })
})

await t.test('the state is replaced before what comes after it is applied', async (t) => {
  const { sent, feed } = scripted()
  const snapshot = { ...foundingSnapshot(['a']), index: logIndex(9), term: term(2) }
  const entry: Entry = {
    index: logIndex(10),
    term: term(2),
    kind: 'noop',
    payload: new Uint8Array(),
  }
  await feed({ apply: [entry], restore: snapshot, fetchSnapshot: { from: 'b', snapshot } })
  t.same(sent, ['restore 9', 'apply 1', 'fetch from b'])
})

await t.test('replies with nothing to write keep the order and touch no disk', async (t) => {
  const { store, sent, feed } = scripted()
  await feed(write(1))
  await feed(write(2, { silent: true }))
  t.same(sent, [], 'not before the write ahead of it')
  await store.finish()
  t.same(sent, ['voteReply 1', 'voteReply 2'])
  t.equal(store.batches.length, 1)
  await feed(write(3, { silent: true }))
  await feed(write(4))
  t.same(sent.slice(2), ['voteReply 3'], 'at once when the disk owes nothing')
  await store.finish()
  t.same(sent.slice(3), ['voteReply 4'])
})

await t.test('a failed write acknowledges nothing and ends the loop once', async (t) => {
  const { core, store, sent, failures, feed } = scripted()
  await feed(write(1))
  await feed(write(2))
  await store.fail()
  t.same(sent, [])
  t.equal(failures.length, 1)
  const before = core.told.length
  await feed(write(3))
  t.equal(core.told.length, before, 'nothing is stepped any more')
  t.equal(store.batches.length, 1, 'nothing is written any more')
})

await t.test('a broken invariant in a step ends the loop before anything is sent', async (t) => {
  const { core, failures, sent, drive } = scripted()
  core.step = () => {
    throw new Error('impossible')
  }
  core.script.push({ send: [{ kind: 'timeoutNow', from: 'a', to: 'b', term: term(1) }] })
  drive.push({ kind: 'tick', ticks: 1 })
  await turns()
  t.equal(failures.length, 1)
  t.same(sent, [])
})

await t.test('stop waits for the disk and answers nothing', async (t) => {
  const { store, sent, drive, feed } = scripted()
  await feed(write(1))
  const stopping = drive.stop()
  await store.finish()
  await stopping
  t.same(sent, [])
})
