import t from 'tap'
import {
  composeAck,
  composeAction,
  composeDecision,
  connect,
  sign,
  type SignedMessage,
  type WatchEvent,
} from '../../src/client/index.js'
import { CountersignError } from '../../src/errors.js'
import { signerOf } from '../machine/world.js'
import type { Twist } from '../api/fake-cluster.js'
import { proposal, stage, type Stage } from '../api/stage.js'
import { callClock, plentyMs } from './call-clock.js'

const put = (path: string, value: string | number) => ({ action: 'put', path, value }) as const

async function decision(
  { client, cluster }: Stage,
  by: string,
  changeId: string,
  word: 'approve' | 'reject' | 'revoke' = 'approve',
): Promise<SignedMessage> {
  const { value: change } = await client.getChange(changeId, { asker: by })
  const signer = signerOf(by)
  const composed = composeDecision({
    clusterId: cluster.world.clusterId,
    person: by,
    keyId: signer.keyId,
    decision: word,
    change,
    ...(word === 'approve' ? {} : { comment: 'not like this' }),
  })
  return sign(composed, signer)
}

async function activated(on: Stage, path: string, value: string | number): Promise<number> {
  const { changeId = '' } = await on.client.propose(await on.propose('alice', [put(path, value)]))
  await on.client.decide(await decision(on, 'bob', changeId))
  const { activatedAt } = await on.client.decide(await decision(on, 'carol', changeId))
  return activatedAt ?? 0
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof CountersignError ? error.code : String(error)),
  )
}

await t.test('a change goes live through every call of the API', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  const message = await on.propose('alice', [put('/prod/a', 1), put('/prod/b', 'two')])

  const { value: preview } = await client.preview(message)
  t.same(preview.result, { kind: 'accepted' })
  t.same(
    preview.diff.map(({ path }) => path),
    ['/prod/a', '/prod/b'],
  )

  const proposed = await client.propose(message)
  const changeId = proposed.changeId ?? ''
  t.match(proposed, { revision: 1, state: 'OPEN', repeated: false })
  t.equal((await client.propose(message)).repeated, true)

  const one = await client.decide(await decision(on, 'bob', changeId))
  t.equal(one.state, 'OPEN')
  t.equal(one.activatedAt, undefined)
  const two = await client.decide(await decision(on, 'carol', changeId))
  t.equal(two.state, 'ACTIVE')
  t.equal(two.activatedAt, two.index)

  const { value: entry, revision } = await client.get('/prod/b')
  t.same(entry.content, { kind: 'value', value: 'two' })
  t.equal(entry.modRevision, two.index)
  t.equal(revision, cluster.appliedIndex)
  t.equal(await codeOf(client.get('/prod/none')), 'UNKNOWN_PATH')

  const { value: entries } = await client.list('/prod/')
  t.same(
    entries.map(({ path }) => path),
    ['/prod/a', '/prod/b'],
  )
  const { value: history } = await client.history('/prod/a')
  t.match(history, [{ author: 'alice', approvers: ['bob', 'carol'], modRevision: two.index }])

  const { value: change } = await client.getChange(changeId)
  const shown = cluster.world.machine.reads.change(changeId)
  t.same(change, shown, 'a change crosses the wire whole')
  t.equal(await codeOf(client.getChange('0'.repeat(32))), 'UNKNOWN_CHANGE')
  const { value: changes } = await client.listChanges({ states: ['ACTIVE'], author: 'alice' })
  t.same(changes, cluster.world.machine.reads.changes({ limit: 10 }))

  const status = await client.status()
  t.match(status, { nodeId: 'node-1', role: 'leader', appliedIndex: cluster.appliedIndex })
  t.match(status.peers, [{ nodeId: 'node-2', silentMs: 70 }])
  t.equal(status.clusterId, cluster.world.clusterId)
})

await t.test('withdraw, reject, revoke, activate and ack reach the machine', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  const open = async (path: string): Promise<string> =>
    (await client.propose(await on.propose('alice', [put(path, 1)]))).changeId ?? ''
  const alice = signerOf('alice')
  const head = { clusterId: cluster.world.clusterId, person: 'alice', keyId: alice.keyId }

  const first = await open('/prod/a')
  const { value: change } = await client.getChange(first, { asker: 'alice' })
  const withdrawal = composeAction({ ...head, action: 'withdraw', change, comment: 'no need' })
  t.equal((await client.withdraw(sign(withdrawal, alice))).state, 'WITHDRAWN')

  const second = await open('/prod/b')
  await client.decide(await decision(on, 'bob', second))
  await client.decide(await decision(on, 'bob', second, 'revoke'))
  t.equal((await client.getChange(second)).value.decisions.at(-1)?.decision, 'revoke')
  await client.decide(await decision(on, 'carol', second, 'reject'))

  const { value: again } = await client.getChange(second, { asker: 'alice' })
  const activation = composeAction({ ...head, action: 'activate', change: again })
  t.not(await codeOf(client.activate(sign(activation, alice))), 'BAD_TYPE')
  const ack = composeAck(head)
  t.not(await codeOf(client.acknowledge(sign(ack, alice))), 'BAD_TYPE')
})

await t.test('a refusal of the machine keeps its code, its facts and its entry', async (t) => {
  const on = await stage(t)
  const { changeId = '' } = await on.client.propose(await on.propose('alice', [put('/prod/a', 1)]))
  const own = await decision(on, 'alice', changeId)
  const error = await on.client.decide(own).catch((thrown: unknown) => thrown)
  t.match(error, { code: 'SELF_APPROVAL', details: { logIndex: Number, repeated: false } })
  const stranger = await on.propose('mallory', [put('/prod/b', 1)])
  t.equal(await codeOf(on.client.propose(stranger)), 'UNKNOWN_KEY')
})

await t.test('the leader is found by hint, by rotation, and after a change', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  cluster.elect('node-3')
  await client.propose(await on.propose('alice', [put('/prod/a', 1)]))
  t.equal(cluster.node('node-2').received.length + cluster.node('node-1').received.length, 0)
  t.equal(cluster.node('node-3').received.length, 1, 'reads had found it already')

  cluster.elect('node-2')
  await client.propose(await on.propose('alice', [put('/prod/b', 1)]))
  t.equal(cluster.node('node-2').received.length, 1)

  const message = await on.propose('alice', [put('/prod/c', 1)])
  await on.apis[1]?.stop()
  const waiting = client.propose(message)
  cluster.elect('node-1')
  t.match(await waiting, { state: 'OPEN' }, 'and after its node is gone')
  t.equal(cluster.first.received.length > 0, true)
})

await t.test('a lost answer is asked for again with the same bytes', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  const message = await on.propose('alice', [put('/prod/a', 1)])
  cluster.first.twists.push(async (_command, run) => {
    run()
    cluster.elect('node-2')
    throw new CountersignError('UNKNOWN_OUTCOME', 'Leadership was lost.')
  })
  const result = await client.propose(message)
  t.equal(result.repeated, true, 'it had been applied; the first result came back')
  const sent = [...cluster.first.received, ...cluster.node('node-2').received]
  t.ok(sent.length >= 2)
  for (const command of sent) {
    t.ok(
      command.kind === 'submit' && Buffer.from(message.envelope.body).equals(command.envelope.body),
    )
  }
})

await t.test(
  'hints of an old term are ignored, and no leader at all is said plainly',
  async (t) => {
    const on = await stage(t, { deadlineMs: plentyMs })
    const { client, cluster } = on
    cluster.elect(null)
    const message = await stageMessage(on)
    const endTime = callClock(t)
    const asked = new Set<string>()
    for (const node of cluster.nodes) {
      node.twists.push(async () => {
        asked.add(node.id)
        if (asked.size === cluster.nodes.length) endTime()
        throw node.notLeader()
      })
    }
    const error = await client.propose(message).catch((thrown: unknown) => thrown)
    t.match(error, { code: 'NOT_LEADER' })
    t.same(
      Object.keys((error as CountersignError).details['tried'] as object).sort(),
      [...on.addresses].sort(),
    )
    cluster.elect('node-2')
    for (const node of ['node-1', 'node-3']) {
      const old = new CountersignError('NOT_LEADER', 'old news', {
        details: { leaderId: 'node-1', term: 1, clientAddress: '127.0.0.1:1' },
      })
      cluster.node(node).twists.push(() => Promise.reject(old))
    }
    await client.status()
    t.match(await client.propose(message), { state: 'OPEN' })
  },
)

async function stageMessage(on: Stage): Promise<SignedMessage> {
  const { machine } = on.cluster.world
  t.equal(machine.reads.get('/prod/q'), undefined)
  const fake = { get: () => Promise.reject(new CountersignError('UNKNOWN_PATH', '')) }
  return proposal({ ...on.client, ...fake }, on.cluster, 'alice', [put('/prod/q', 1)])
}

await t.test('nobody there: UNREACHABLE names what was tried; a lost write is open', async (t) => {
  const on = await stage(t, { size: 1 })
  const message = await on.propose('alice', [put('/prod/a', 1)])
  await on.apis[0]?.stop()
  const fresh = connect({ addresses: on.addresses, plaintext: true, deadlineMs: 300 })
  t.teardown(() => {
    fresh.close()
  })
  const [address = ''] = on.addresses
  const error = await fresh.propose(message).catch((thrown: unknown) => thrown)
  t.match(error, { code: 'UNREACHABLE', details: { tried: { [address]: String } } })
  t.equal(await codeOf(fresh.status(address)), 'UNREACHABLE')

  await on.restart(on.cluster.first)
  // Three attempts: one that a busy machine ends before it was sent proves nothing.
  for (let at = 0; at < 3; at += 1) {
    on.cluster.first.twists.push(() => new Promise(() => undefined))
  }
  t.equal(await codeOf(on.client.propose(message, { deadlineMs: 1_500 })), 'UNKNOWN_OUTCOME')
})

await t.test('abort and close end a call with CANCELLED', async (t) => {
  const on = await stage(t, { size: 1 })
  const message = await on.propose('alice', [put('/prod/a', 1)])
  on.cluster.first.twists.push(() => new Promise(() => undefined))
  const abort = new AbortController()
  const call = on.client.propose(message, { signal: abort.signal })
  setImmediate(() => {
    abort.abort()
  })
  t.equal(await codeOf(call), 'CANCELLED')
  on.client.close()
  t.equal(await codeOf(on.client.status()), 'CANCELLED')
})

await t.test('BUSY waits and sends again', async (t) => {
  const on = await stage(t, { size: 1 })
  const message = await on.propose('alice', [put('/prod/a', 1)])
  on.cluster.first.twists.push(() =>
    Promise.reject(new CountersignError('BUSY', 'full', { details: { retryAfterMs: 1 } })),
  )
  t.match(await on.client.propose(message), { state: 'OPEN', repeated: false })
})

await t.test('connect refuses what cannot work', (t) => {
  t.throws(() => connect({ addresses: [], plaintext: true }), { code: 'INPUT_INVALID' })
  t.throws(() => connect({ addresses: ['nowhere'], plaintext: true }), { code: 'INPUT_INVALID' })
  t.throws(() => connect({ addresses: ['10.0.0.1:7200'] }), { code: 'INPUT_INVALID' })
  const client = connect({ addresses: ['10.0.0.1:7200'], plaintext: true })
  t.rejects(client.status(), { code: 'INPUT_INVALID' }).catch(() => undefined)
  t.end()
})

await t.test('a stream of proposals moves to the next leader and loses none', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  const messages: SignedMessage[] = []
  for (let i = 0; i < 40; i += 1) {
    messages.push(await on.propose('alice', [put(`/prod/p${String(i)}`, i)]))
  }
  let seen = 0
  const moving: Twist = async (_command, run) => {
    const result = run()
    seen += 1
    if (seen < 10) return Promise.resolve(result)
    cluster.elect('node-2')
    throw new CountersignError('UNKNOWN_OUTCOME', 'Leadership was lost.')
  }
  cluster.first.twists.push(...Array.from({ length: 10 }, () => moving))
  const stream = client.proposeStream()
  const results = await Promise.all(messages.map((message) => stream.submit(message)))
  await stream.end()
  t.equal(new Set(results.map(({ changeId }) => changeId)).size, 40)
  t.equal(new Set(results.map(({ index }) => index)).size, 40, 'each applied once')
  t.ok(cluster.node('node-2').received.length > 0)

  const refusing = client.proposeStream()
  const stranger = await on.propose('mallory', [put('/prod/x', 1)])
  t.equal(await codeOf(refusing.submit(stranger)), 'UNKNOWN_KEY')
  await refusing.end()
})

async function until<T extends WatchEvent['kind']>(
  watch: AsyncIterator<WatchEvent>,
  kind: T,
): Promise<Extract<WatchEvent, { kind: T }>> {
  for (;;) {
    const next: IteratorResult<WatchEvent, undefined> = await watch.next()
    if (next.done === true) throw new Error(`the watch ended before ${kind}`)
    if (next.value.kind === kind) return next.value as Extract<WatchEvent, { kind: T }>
  }
}

await t.test('a watch resumes across restarts without gap or double', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  const apis = [...on.apis]
  const watch = client.watch({ prefix: '/prod/', afterRevision: 0 })
  const got: number[] = []
  const expected: number[] = []
  const take = async (): Promise<void> => {
    got.push((await until(watch, 'batch')).revision)
  }
  expected.push(await activated(on, '/prod/a', 0))
  await take()
  for (let round = 1; round <= 4; round += 1) {
    const node = cluster.nodes[round % 3]
    const other = cluster.nodes[(round + 1) % 3]
    cluster.elect(other?.id ?? null)
    await apis[round % 3]?.stop()
    expected.push(await activated(on, '/prod/a', round))
    expected.push(await activated(on, '/prod/b', round))
    await take()
    await take()
    if (node !== undefined) apis[round % 3] = await on.restart(node)
  }
  t.same(got, expected)
  await watch.return?.()
  // The cancel is on its way; the test's own time limit is the bound.
  while (cluster.watching > 0) await new Promise(setImmediate)
  t.pass('and nothing stays behind')
})

await t.test(
  'activations that share a revision arrive once each, also over a resume',
  async (t) => {
    // A weakening delay makes one Tick activate several changes.
    const on = await stage(t, {
      prod: {
        windows: [
          { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '0h', to: '24h' },
        ],
      },
    })
    const { client, cluster } = on
    const watch = client.watch({ prefix: '/', afterRevision: cluster.appliedIndex })
    await until(watch, 'started')
    const changeIds: string[] = []
    for (const path of ['/prod/a', '/prod/b', '/prod/c']) {
      const later = cluster.world.now + 60_000
      const { changeId } = cluster.world.propose({
        by: 'alice',
        set: { [path]: 1 },
        schedule: { notBefore: later },
      })
      cluster.world.approve('bob', changeId)
      cluster.world.approve('carol', changeId)
      changeIds.push(changeId)
    }
    cluster.tick(120_000)
    const batches = [
      await until(watch, 'batch'),
      await until(watch, 'batch'),
      await until(watch, 'batch'),
    ]
    t.equal(new Set(batches.map(({ revision }) => revision)).size, 1)
    t.same(batches.map(({ changeId }) => changeId).sort(), changeIds.sort())
    t.same(
      batches.map(({ more }) => more),
      [true, true, false],
    )
    await watch.return?.()
  },
)

await t.test('what is no longer kept becomes a snapshot, and the watch goes on', async (t) => {
  const on = await stage(t)
  const { client, cluster } = on
  await activated(on, '/prod/a', 1)
  cluster.compactedBelow = cluster.appliedIndex
  const watch = client.watch({ prefix: '/prod/', afterRevision: 1 })
  const snapshot = await until(watch, 'snapshot')
  t.equal(snapshot.reason.code, 'COMPACTED')
  t.equal(snapshot.entries.length, 1)
  const next = await activated(on, '/prod/a', 2)
  t.equal((await until(watch, 'batch')).revision, next)
  await watch.return?.()
})

await t.test('a watch ends on its signal, and fails on what no node can mend', async (t) => {
  const on = await stage(t)
  const abort = new AbortController()
  const watch = on.client.watch({ prefix: '/prod/', signal: abort.signal })
  await until(watch, 'started')
  abort.abort()
  t.equal((await watch.next()).done, true)
  const bad = on.client.watch({ prefix: 'prod' })
  t.equal(await codeOf(until(bad, 'started')), 'INPUT_INVALID')
})

await t.test('progress moves the resume point', async (t) => {
  const on = await stage(t)
  const watch = on.client.watch({ prefix: '/prod/' })
  await until(watch, 'started')
  const { index } = await on.client.propose(await on.propose('alice', [put('/prod/a', 1)]))
  for (;;) if ((await until(watch, 'progress')).revision >= index) break
  t.pass('the revision is told although nothing was written')
  await watch.return?.()
})
