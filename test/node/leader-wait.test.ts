import t from 'tap'
import { LeaderWait } from '../../src/node/leader-wait.js'
import { LeadershipRecord } from '../../src/node/leadership-record.js'
import { term, type Leadership } from '../../src/raft/index.js'

const leaderless: Leadership = { role: 'follower', term: term(3), leader: null }
const led: Leadership = { role: 'follower', term: term(4), leader: 'node-2' }

/** A record, who waits on it, and a clock that stands until the test lets the time be up. */
function standing(now: Leadership, heldMax = 10) {
  const leadership = new LeadershipRecord(now)
  const timers = new Set<() => void>()
  const wait = new LeaderWait({
    leadership,
    heldMax,
    clock: {
      after: (_ms, callback) => {
        timers.add(callback)
        return () => timers.delete(callback)
      },
    },
  })
  const isOver = async (held: Promise<void>): Promise<boolean> =>
    Promise.race([
      held.then(() => true),
      new Promise<boolean>((resolve) =>
        setImmediate(() => {
          resolve(false)
        }),
      ),
    ])
  return {
    wait,
    timers,
    isOver,
    becomes: (next: Leadership) => leadership.changed(next, () => 1),
    timeIsUp: () => {
      for (const timer of [...timers]) timer()
    },
  }
}

await t.test('while a leader is known nobody is held', async (t) => {
  const { wait, timers } = standing(led)
  await wait.untilKnown()
  t.equal(timers.size, 0)
})

await t.test('held until somebody leads, whoever it is', async (t) => {
  for (const next of [led, { role: 'leader', term: term(4), leader: 'node-1' }] as const) {
    const on = standing(leaderless)
    const held = on.wait.untilKnown()
    t.equal(await on.isOver(held), false)
    on.becomes({ role: 'candidate', term: term(4), leader: null })
    t.equal(await on.isOver(held), false, 'a campaign is no leader yet')
    on.becomes(next)
    t.equal(await on.isOver(held), true)
    t.equal(on.timers.size, 0, 'the timer is gone too')
  }
})

await t.test('held no longer than the time allows', async (t) => {
  const on = standing(leaderless)
  const held = on.wait.untilKnown()
  on.timeIsUp()
  t.equal(await on.isOver(held), true)
})

await t.test('no more are held than may be, and places become free again', async (t) => {
  const on = standing(leaderless, 2)
  const held = [on.wait.untilKnown(), on.wait.untilKnown()]
  t.equal(await on.isOver(on.wait.untilKnown()), true, 'the third is not held')
  on.timeIsUp()
  await Promise.all(held)
  t.equal(await on.isOver(on.wait.untilKnown()), false)
})
