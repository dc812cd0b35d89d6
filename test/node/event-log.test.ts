import { pino } from 'pino'
import t from 'tap'
import { logEvent } from '../../src/node/event-log.js'
import type { Applied } from '../../src/machine/index.js'
import { World, day } from '../machine/world.js'

await t.test('what somebody may look for later has a line, and no line a value', async (t) => {
  const lines: string[] = []
  const log = pino(
    { level: 'debug', base: null, timestamp: false },
    { write: (s) => lines.push(s) },
  )
  const world = new World()
  const seen = ({ events }: Applied): unknown[] => {
    lines.length = 0
    for (const event of events) logEvent(log, { index: world.index, term: 1 }, event)
    t.ok(lines.every((line) => !line.includes('s3cret') && !line.includes('/prod/')))
    return lines.map((line) => JSON.parse(line) as unknown)
  }
  const secret = (): ReturnType<World['propose']> =>
    world.propose({ by: 'alice', set: { '/prod/a': 's3cret', '/prod/b': 's3cret' } })

  const first = secret()
  const rival = secret()
  t.same(seen(first), [], 'a proposal is no event of the system')
  t.match(seen(world.approve('alice', first.changeId)), [
    { level: 20, person: 'alice', changeId: first.changeId, code: 'SELF_APPROVAL' },
  ])
  t.same(seen(world.approve('bob', first.changeId)), [])
  t.match(seen(world.approve('carol', first.changeId)), [
    { level: 30, changeId: first.changeId, revision: world.index, paths: 2, mode: 'auto' },
    { level: 30, changeId: rival.changeId, from: 'OPEN', to: 'STALE', code: 'STALE_BASE' },
  ])
  const late = world.propose({ by: 'bob', set: { '/prod/c': 's3cret' } })
  // Its deadline counts from the first Tick after it.
  world.tick()
  t.match(seen(world.tick(4 * day)), [
    { level: 30, changeId: late.changeId, to: 'EXPIRED', code: 'EXPIRED' },
  ])
  t.match(seen(world.submit({ ...first.command.envelope, signature: new Uint8Array(64) })), [
    { level: 50, term: 1, code: 'BAD_SIGNATURE' },
  ])
})
