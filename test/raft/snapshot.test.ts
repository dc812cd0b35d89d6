/** Snapshots in a group: scenarios 44 to 52 of consensus, as far as the core goes. */
import fc from 'fast-check'
import t from 'tap'
import { Group, electionTicksMax, heartbeatTicks, optionsOf } from './group.js'
import { only } from './lone-node.js'
import '../property-seed.js'

const trio = ['a', 'b', 'c'] as const

/** Nobody keeps a tail: whoever is behind a snapshot needs it. Timers are far from each other. */
function group(pinTicksMax = 6000): Group {
  const limits = { ...optionsOf('a', trio).limits, keptEntries: 0, pinTicksMax }
  return new Group(trio, (id) => ({
    limits,
    random: () => (id === 'a' ? 0.1 : id === 'b' ? 0.5 : 0.9),
  }))
}

function write(group: Group, leader: string, ...texts: string[]): void {
  for (const text of texts) group.propose(leader, text)
  group.settle()
}

/** a leads, and its log is cut at a snapshot that c, which was cut off, does not have. */
function withLaggard(): Group {
  const joined = group()
  joined.elect('a')
  joined.isolate('c')
  write(joined, 'a', '1', '2', '3')
  joined.saveSnapshot('a')
  write(joined, 'a', '4')
  return joined
}

const fetches = (joined: Group) => only(joined.sent, 'snapshotOffer').length

await t.test('a follower far behind is fed the snapshot, then the log behind it', async (t) => {
  const joined = withLaggard()
  t.equal(joined.status('a').firstIndex, 5)
  joined.heal()
  joined.run(3 * heartbeatTicks)
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4'])
  t.equal(joined.status('c').firstIndex, 5)
  t.equal(fetches(joined), 1)
  write(joined, 'a', '5')
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4', '5'])
  t.same(joined.terms('c'), joined.terms('a'), 'the disks hold the same log')
})

await t.test('45: a conflicting log of any length gives way, and there is no loop', async (t) => {
  const joined = group()
  joined.elect('c')
  joined.isolate('c')
  for (let lost = 0; lost < 20; lost += 1) joined.propose('c', `lost ${String(lost)}`)
  joined.settle()
  joined.elect('a')
  write(joined, 'a', '1', '2', '3')
  joined.saveSnapshot('a')
  joined.heal()
  joined.run(2 * heartbeatTicks)
  t.same(joined.appliedTexts('c'), ['1', '2', '3'])
  t.equal(joined.status('c').lastIndex, joined.status('a').lastIndex)
  joined.run(3 * electionTicksMax)
  t.equal(fetches(joined), 1)
})

await t.test('47: a follower that restarts while it fetches begins anew', async (t) => {
  const joined = withLaggard()
  joined.holdFetches('c')
  joined.heal()
  joined.run(2 * heartbeatTicks)
  t.equal(joined.status('a').peers.find(({ id }) => id === 'c')?.state, 'snapshot')
  joined.crash('c')
  joined.restart('c')
  joined.run(2 * heartbeatTicks)
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4'])
})

await t.test(
  '46: a crash anywhere in an install leaves the old state or the new one',
  async (t) => {
    // The fetch is complete; the write of the install is lost, or durable; the state is restored.
    for (const written of [false, true]) {
      for (const restored of [false, true]) {
        const joined = withLaggard()
        joined.holdFetches('c')
        joined.heal()
        joined.run(2 * heartbeatTicks)
        if (!written) joined.holdDisk('c')
        if (!restored) joined.holdState('c')
        joined.releaseFetches('c')
        joined.settle()
        t.equal(joined.member('c').anchor.index, written ? 4 : 0)
        joined.crash('c')
        joined.restart('c')
        t.equal(joined.status('c').firstIndex, 5)
        joined.run(2 * heartbeatTicks)
        t.same(joined.appliedTexts('c'), ['1', '2', '3', '4'])
        t.same(joined.terms('c'), joined.terms('a'))
      }
    }
  },
)

await t.test('the leader changes while a follower fetches: the fetch still serves', async (t) => {
  const joined = withLaggard()
  joined.holdFetches('c')
  joined.heal()
  joined.run(2 * heartbeatTicks)
  joined.isolate('a')
  joined.elect('b')
  write(joined, 'b', '5')
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4', '5'], 'b still has the whole log')

  const again = withLaggard()
  again.holdFetches('c')
  again.saveSnapshot('b')
  again.heal()
  again.run(2 * heartbeatTicks)
  again.isolate('a')
  again.elect('b')
  again.releaseFetches('c')
  again.run(electionTicksMax + 2 * heartbeatTicks)
  t.equal(again.status('b').role, 'leader')
  t.same(again.appliedTexts('c'), ['1', '2', '3', '4'])
})

await t.test('a lost offer and a failed fetch are made good', async (t) => {
  const joined = withLaggard()
  joined.heal()
  joined.lost = (message) => message.kind === 'snapshotOffer'
  joined.run(2 * heartbeatTicks)
  t.same(joined.appliedTexts('c'), [])
  joined.heal()
  joined.run(electionTicksMax + 2 * heartbeatTicks)
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4'])
})

await t.test('48: a transfer slower than the retention ends, with one fetch', async (t) => {
  const joined = withLaggard()
  joined.holdFetches('c')
  joined.heal()
  for (let round = 0; round < 30; round += 1) {
    write(joined, 'a', `r${String(round)}`)
    joined.saveSnapshot('a')
    joined.run(heartbeatTicks)
  }
  t.equal(joined.status('a').firstIndex, 5, 'pinned')
  joined.releaseFetches('c')
  joined.settle()
  joined.run(2)
  t.same(joined.appliedTexts('c'), joined.appliedTexts('a'))
  t.equal(joined.status('a').firstIndex, joined.status('a').lastIndex + 1)
  const offered = only(joined.sent, 'snapshotOffer').map(({ snapshot }) => snapshot.index)
  t.same([...new Set(offered)], [4])
})

await t.test('49: a restore that takes long is acknowledged without it', async (t) => {
  const joined = withLaggard()
  joined.heal()
  joined.holdState('c')
  joined.run(5 * electionTicksMax)
  t.equal(joined.status('a').peers.find(({ id }) => id === 'c')?.state, 'replicate')
  t.equal(fetches(joined), 1)
  write(joined, 'a', '5')
  t.equal(joined.status('c').commitIndex, joined.status('a').commitIndex)
  t.same(joined.appliedTexts('c'), [])
  joined.releaseState('c')
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4', '5'])
})

await t.test('51: heartbeats go on, and nobody campaigns, while a snapshot travels', async (t) => {
  const joined = withLaggard()
  joined.holdFetches('c')
  joined.heal()
  const term = joined.status('a').term
  joined.run(10 * electionTicksMax)
  t.equal(joined.status('a').role, 'leader')
  t.equal(joined.status('c').leader, 'a')
  t.equal(joined.status('a').term, term)
  t.same(
    only(joined.sent, 'preVote').filter(({ from }) => from === 'c'),
    [],
  )
})

await t.test('a node that was fed a snapshot can lead and feed others', async (t) => {
  const joined = withLaggard()
  joined.isolate('b')
  joined.run(2 * heartbeatTicks)
  t.same(joined.appliedTexts('c'), ['1', '2', '3', '4'])
  joined.step('a', { kind: 'transferLeadership', to: 'c' })
  joined.settle()
  write(joined, 'c', '5')
  joined.saveSnapshot('c')
  joined.crash('b')
  joined.restart('b')
  joined.heal()
  joined.run(2 * heartbeatTicks)
  t.same(joined.appliedTexts('b'), ['1', '2', '3', '4', '5'])
})

await t.test('everybody restarts from snapshots, and goes on', async (t) => {
  const joined = withLaggard()
  joined.heal()
  joined.run(2 * heartbeatTicks)
  for (const id of trio) joined.saveSnapshot(id)
  for (const id of trio) joined.crash(id)
  for (const id of trio) joined.restart(id)
  joined.elect('c')
  write(joined, 'c', '5')
  for (const id of trio) t.same(joined.appliedTexts(id), ['1', '2', '3', '4', '5'], id)
})

await t.test('whatever happens, what was committed is applied once and by all', async (t) => {
  const node = fc.constantFrom(...trio)
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), node }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('save' as const), node }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('run' as const), node, ticks: fc.nat(250) }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('leave' as const), node }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('heal' as const), node }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), node }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('hold' as const), node }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), node }) },
  )
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 30 }), (actions) => {
      const joined = group(300)
      const acknowledged = new Set<string>()
      let count = 0
      joined.elect('a')
      // Through whoever believes to lead: two, when one of them is cut off.
      const writeToAll = () => {
        count += 1
        for (const id of trio) {
          if (joined.status(id).role === 'leader') write(joined, id, `w${String(count)}${id}`)
        }
      }
      const save = (id: string) => {
        if (joined.member(id).applied.length === 0) return
        joined.saveSnapshot(id)
        joined.settle()
      }
      for (const step of actions) {
        if (step.kind === 'write') writeToAll()
        if (step.kind === 'save') save(step.node)
        if (step.kind === 'run') joined.run(step.ticks)
        if (step.kind === 'leave') {
          // Cut off until the others have gone on without it, and their logs too.
          joined.isolate(step.node)
          joined.run(electionTicksMax)
          writeToAll()
          for (const id of trio) if (id !== step.node) save(id)
        }
        if (step.kind === 'heal') {
          joined.heal()
          joined.run(2 * heartbeatTicks)
        }
        if (step.kind === 'crash') {
          joined.crash(step.node)
          joined.restart(step.node)
        }
        if (step.kind === 'hold') {
          if (count % 3 === 0) joined.holdDisk(step.node)
          if (count % 3 === 1) joined.holdState(step.node)
          if (count % 3 === 2) joined.holdFetches(step.node)
        }
        if (step.kind === 'release') release(joined, step.node)
        for (const id of trio) {
          for (const text of joined.appliedTexts(id)) acknowledged.add(text)
        }
      }
      joined.heal()
      for (const id of trio) release(joined, id)
      joined.run(8 * electionTicksMax)
      const leader = trio.find((id) => joined.status(id).role === 'leader')
      if (leader === undefined) throw new Error('nobody leads')
      write(joined, leader, 'last')
      joined.run(2 * electionTicksMax)
      const texts = trio.map((id) => joined.appliedTexts(id))
      const [first = []] = texts
      if (texts.some((other) => other.join() !== first.join())) return false
      if (new Set(first).size !== first.length || first.at(-1) !== 'last') return false
      return [...acknowledged].every((text) => first.includes(text))
    }),
    { numRuns: 60, seed: 4852 },
  )
  t.pass()
})

function release(joined: Group, id: string): void {
  joined.releaseDisk(id)
  joined.releaseState(id)
  joined.releaseFetches(id)
  joined.settle()
}
