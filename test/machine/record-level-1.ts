/**
 * Records test/fixtures/logs/level-1.ndjson: a log of feature level 1 with the state digest that
 * it leads to. Every later build must come to the same digest. Recorded anew only by hand, while
 * level 1 has not been released:
 *
 *   npm run build && node dist/test/machine/record-level-1.js
 *
 * First line: the genesis bytes. Then one line an entry, null for a no-op. Last line: the digest.
 */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { encodeCanonical, encodeDetached, toBase64 } from '../../src/signing/index.js'
import type { Json } from '../../src/signing/index.js'
import { encodeCommand } from '../../src/wire/index.js'
import {
  World,
  day,
  group,
  hour,
  json,
  keyOf,
  minute,
  monday,
  person,
  policy,
  rule,
  signerOf,
} from './world.js'

export function recordLevelOne(): string {
  return textOfLog(story())
}

/** A world's genesis, its log and the digest of its state, as a fixture keeps them. */
export function textOfLog(world: World): string {
  const lines: Json[] = [
    { genesis: toBase64(encodeCanonical(world.genesis as unknown as Json)) },
    ...world.log.map((command) => ({
      entry: command === null ? null : toBase64(encodeCommand(command)),
    })),
    { digest: world.machine.status().stateDigest },
  ]
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** Every kind, every type and every state of level 1 occurs. */
function story(): World {
  const five = ['alice', 'bob', 'carol', 'dave', 'erin']
  const world = new World({
    humans: five,
    groups: [group('leads', ['erin']), group('payments', ['bob', 'carol', 'dave', 'erin'])],
    governance: { weakeningDelay: '1h' },
    genesis: { coolOff: '1h' },
    prod: { veto: [{ count: 1, group: 'leads' }] },
    policies: [
      {
        name: 'payments',
        document: policy({
          id: 'payments',
          paths: ['/prod/payments/**'],
          need: [{ count: 1, group: 'payments' }],
          risk: { high: { need: [{ count: 2, group: 'payments' }] } },
          windows: [{ days: ['mon', 'tue'], from: '8h', to: '15h' }],
          bake: { for: '15m', watch: ['errors'] },
        }),
      },
    ],
  })
  const quorum = ['bob', 'carol']
  world.tick(minute)
  world.carry({ by: 'alice', set: { '/prod/a': 1, '/prod/b': [true, null, 0.5] } }, quorum)
  const detached = encodeDetached({ large: 'value' }, '01'.repeat(16))
  const large = { digest: detached.digest, size: detached.size }
  const sealed = { ciphertext: 'c2VjcmV0', keyReference: 'kms/1' }
  world.carry(
    {
      by: 'alice',
      ops: [
        { action: 'put', path: '/prod/large', detached: large },
        { action: 'put', path: '/prod/secret', sealed },
      ],
      detached: [detached.bytes],
    },
    quorum,
  )
  const stale = world.propose({ by: 'alice', set: { '/prod/a': 2 } })
  world.approve('alice', stale.changeId)
  world.approve('agent', stale.changeId)
  world.carry({ by: 'bob', set: { '/prod/a': null } }, ['alice', 'dave'])
  world.apply(stale.command)
  world.withdraw('alice', world.propose({ by: 'alice', set: { '/prod/a': 3 } }).changeId)
  world.reject('erin', world.propose({ by: 'alice', set: { '/prod/a': 4 } }).changeId)

  const windowed = world.propose({ by: 'alice', set: { '/prod/payments/x': 1 } })
  for (const by of quorum) world.approve(by, windowed.changeId)
  const agents = world.propose({
    by: 'agent',
    sponsor: 'alice',
    provenance: { model: 'm', promptDigest: '00', tool: 'importer' },
    set: { '/prod/c': 1 },
    activate: 'manual',
    dependsOn: [windowed.changeId],
  })
  for (const by of quorum) world.approve(by, agents.changeId)
  world.revoke('bob', agents.changeId)
  world.activate('dave', agents.changeId)
  world.approve('bob', agents.changeId)
  world.tickTo(monday + 8 * hour)
  world.activate('dave', agents.changeId)
  const baking = world.propose({ by: 'alice', set: { '/prod/payments/x': 2 } })
  for (const by of quorum) world.approve(by, baking.changeId)
  world.tick(20 * minute)

  const joining = {
    '/sys/people/frank': json(person('frank')),
    [`/sys/keys/${signerOf('frank').keyId}`]: json(world.newKey('frank')),
    '/sys/groups/operators': json(group('operators', [...five, 'frank'])),
  }
  const joined = world.propose({ by: 'alice', set: joining })
  for (const by of quorum) world.approve(by, joined.changeId)
  const open = world.propose({ by: 'dave', set: { '/prod/d': 1 } })
  world.revise(open.changeId, { by: 'alice', set: { '/prod/d': 2 } })
  world.tick(minute)
  world.tick(hour)
  world.acknowledge('frank')
  world.approve('frank', open.changeId)
  world.tick(hour)
  world.tick(hour)
  world.carry({ by: 'alice', set: { '/prod/e': 1 } }, ['frank', 'bob'])

  const until = world.now + day
  const freeze = { paths: ['/prod/**'], from: world.now, until, reason: 'Audit' }
  world.carry({ by: 'alice', set: { '/sys/freezes/audit': freeze } }, quorum)
  const frozen = world.propose({ by: 'alice', set: { '/prod/f': 1 }, use: '30h' })
  for (const by of quorum) world.approve(by, frozen.changeId)
  const tight = rule('prod', ['/prod/**'], { need: [{ count: 3, group: 'operators' }] })
  const tightening = world.propose({
    by: 'alice',
    set: { '/sys/policies/prod': json(policy(tight)) },
  })
  for (const by of quorum) world.approve(by, tightening.changeId)
  world.tick(2 * hour)
  for (const by of [...quorum, 'dave']) world.approve(by, frozen.changeId)
  const voided = world.propose({ by: 'dave', set: { '/prod/g': 1 } })
  const key = signerOf('dave').keyId
  const out = {
    '/sys/people/dave': json(person('dave', { status: 'suspended' })),
    [`/sys/keys/${key}`]: json(keyOf('dave', { status: 'revoked' })),
  }
  world.carry({ by: 'alice', set: out }, quorum)
  world.approve('dave', voided.changeId)
  world.skip()
  world.approve('erin', frozen.changeId)
  world.tick(day)
  world.propose({ by: 'alice', set: { '/prod/h': 1 } })
  world.tick(minute)
  world.tick(72 * hour)
  world.propose({ by: 'alice', kind: 'emergency' })
  return world
}

const isMain = import.meta.url === pathToFileURL(process.argv[1] ?? '').href
if (isMain) writeFileSync('test/fixtures/logs/level-1.ndjson', recordLevelOne())
