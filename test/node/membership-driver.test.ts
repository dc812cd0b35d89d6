import t from 'tap'
import type { Membership } from '../../src/machine/index.js'
import { MembershipDriver } from '../../src/node/membership-driver.js'
import { configurationOf, logIndex, type Configuration, type Event } from '../../src/raft/index.js'

class Desk {
  governed: Membership = membership(1, { a: 'voter', b: 'voter' })
  configuration: Configuration = configurationOf(['a', 'b'])
  index = 0
  committed = true
  leads = true
  readonly asked: Event[] = []
  readonly refused: unknown[] = []
  readonly driver = new MembershipDriver({
    membership: () => this.governed,
    status: () => ({
      configuration: this.configuration,
      configurationIndex: logIndex(this.index),
      configurationCommitted: this.committed,
    }),
    mayAsk: () => this.leads,
    push: (event) => this.asked.push(event),
    refused: (facts) => this.refused.push(facts),
  })

  refuse(code: 'PENDING' | 'STALE' | 'INVALID'): void {
    const id = this.asked.length
    this.driver.outcome({ id, kind: 'refused', code, leader: null, pendingIndex: null })
  }
}

function membership(revision: number, roles: Record<string, 'voter' | 'learner'>): Membership {
  const nodes = Object.entries(roles).map(([id, role]) => ({
    id,
    role,
    address: `${id}:1`,
    incarnation: id,
    nodeKey: new Uint8Array(32),
  }))
  return { revision, nodes, removed: [], departed: [] }
}

const added = membership(7, { a: 'voter', b: 'voter', c: 'voter', d: 'learner' })

await t.test('it asks once, on the configuration that it knew, and only when they differ', (t) => {
  const desk = new Desk()
  desk.driver.check()
  t.same(desk.asked, [], 'they agree')
  desk.governed = added
  desk.index = 5
  desk.driver.check()
  desk.driver.check()
  t.same(desk.asked, [
    { kind: 'changeMembership', id: 1, basedOn: 5, voters: ['a', 'b', 'c'], learners: ['d'] },
  ])
  t.end()
})

await t.test('what must wait is asked again; what is impossible is not', (t) => {
  const desk = new Desk()
  desk.governed = added
  for (const code of ['PENDING', 'STALE'] as const) {
    desk.driver.check()
    desk.refuse(code)
  }
  desk.driver.check()
  t.equal(desk.asked.length, 3)
  desk.refuse('INVALID')
  desk.driver.check()
  t.equal(desk.asked.length, 3)
  t.match(desk.refused, [{ code: 'INVALID', revision: 7 }])
  desk.governed = { ...added, revision: 8 }
  desk.driver.check()
  t.equal(desk.asked.length, 4, 'another document, another try')
  t.end()
})

await t.test('newcomers that catch up are on their way; joint and uncommitted ones wait', (t) => {
  const desk = new Desk()
  desk.governed = added
  desk.configuration = { ...configurationOf(['a', 'b'], ['c', 'd']), target: ['a', 'b', 'c'] }
  desk.driver.check()
  t.same(desk.asked, [], 'the target is what is wanted')
  desk.governed = membership(9, { a: 'voter', b: 'voter' })
  desk.committed = false
  desk.driver.check()
  desk.committed = true
  desk.configuration = { ...desk.configuration, outgoing: ['a'], target: null }
  desk.driver.check()
  t.same(desk.asked, [])
  desk.configuration = { ...desk.configuration, outgoing: [] }
  desk.driver.check()
  t.equal(desk.asked.length, 1)
  t.end()
})

await t.test('only a leader asks, and a new leadership forgets what was asked', (t) => {
  const desk = new Desk()
  desk.governed = added
  desk.leads = false
  desk.driver.check()
  t.same(desk.asked, [])
  desk.leads = true
  desk.driver.check()
  desk.driver.leadershipChanged()
  desk.driver.check()
  t.equal(desk.asked.length, 2)
  t.end()
})
