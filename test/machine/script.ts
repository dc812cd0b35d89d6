/** Random stories for property tests: what people and clocks may do, allowed or not. */
import fc from 'fast-check'
import type { Applied, Command } from '../../src/machine/index.js'
import { group, hour, json, keyOf, person, policy, rule } from './world.js'
import type { World } from './world.js'

export const people = ['alice', 'bob', 'carol', 'dave'] as const
const paths = ['/prod/a', '/prod/b', '/prod/c'] as const

export type Move =
  | {
      readonly kind: 'propose'
      readonly by: string
      readonly path: string
      readonly manual: boolean
      readonly later: boolean
    }
  | { readonly kind: 'revise'; readonly by: string; readonly change: number }
  | {
      readonly kind: 'decide'
      readonly word: 'approve' | 'reject' | 'revoke'
      readonly by: string
      readonly change: number
    }
  | { readonly kind: 'approvals'; readonly by: readonly string[]; readonly change: number }
  | {
      readonly kind: 'act'
      readonly word: 'withdraw' | 'activate'
      readonly by: string
      readonly change: number
    }
  | { readonly kind: 'tick'; readonly hours: number }
  | { readonly kind: 'govern'; readonly by: string; readonly what: number }
  | { readonly kind: 'again'; readonly entry: number }

const by = fc.constantFrom(...people, 'agent')
const change = fc.nat({ max: 3 })

/** Weighted towards what leads somewhere. */
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('propose' as const),
      by,
      path: fc.constantFrom(...paths),
      manual: fc.boolean(),
      later: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revise' as const), by, change }) },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      word: fc.constantFrom('approve', 'approve', 'approve', 'approve', 'reject', 'revoke'),
      by,
      change,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('approvals' as const),
      by: fc.shuffledSubarray([...people], { minLength: 2 }),
      change,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      word: fc.constantFrom('withdraw', 'activate', 'activate'),
      by,
      change,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), hours: fc.constantFrom(1, 5, 40) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('govern' as const), by, what: fc.nat({ max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), entry: fc.nat() }) },
)

export const scripts = fc.array(move, { minLength: 1, maxLength: 40, size: 'max' })

/** Applies each move; `before` may look at the command and hand back a look at the outcome. */
export function play(
  world: World,
  script: readonly Move[],
  before: (command: Command) => ((applied: Applied) => void) | undefined = () => undefined,
): void {
  const changes: string[] = []
  const run = (command: Command): Applied => {
    const after = before(command)
    const applied = world.apply(command)
    after?.(applied)
    return applied
  }
  for (const one of script) {
    // Mostly about one of the latest changes, at times about none at all.
    const changeId = 'change' in one ? (changes.at(-1 - one.change) ?? 'ee'.repeat(16)) : ''
    switch (one.kind) {
      case 'propose': {
        const id = world.newChangeId()
        changes.push(id)
        run(
          world.proposeCommand({
            by: one.by,
            changeId: id,
            set: { [one.path]: changes.length },
            ...(one.manual ? { activate: 'manual' } : {}),
            ...(one.later ? { schedule: { notBefore: world.now + 3 * hour } } : {}),
            ...agentFields(one.by),
          }),
        )
        break
      }
      case 'revise': {
        const view = world.machine.reads.change(changeId)
        if (view === undefined) break
        run(
          world.proposeCommand({
            by: one.by,
            changeId,
            revision: view.revision + 1,
            previousDigest: view.contentDigest,
            kind: view.kind,
            set: Object.fromEntries(view.paths.map((path) => [path, `revised ${one.by}`])),
            ...agentFields(one.by),
          }),
        )
        break
      }
      case 'decide':
        run(world.decisionCommand(one.word, one.by, changeId))
        break
      case 'approvals':
        for (const name of one.by) run(world.decisionCommand('approve', name, changeId))
        break
      case 'act':
        run(world.actionCommand(one.word, one.by, changeId))
        break
      case 'tick':
        world.now += one.hours * hour
        run(world.tickCommand())
        break
      case 'govern': {
        const id = world.newChangeId()
        changes.push(id)
        run(world.proposeCommand({ by: one.by, changeId: id, set: documents[one.what] ?? {} }))
        break
      }
      case 'again': {
        const command = world.log[one.entry % world.log.length]
        if (command !== null && command !== undefined) run(command)
      }
    }
  }
}

function agentFields(name: string): object {
  if (name !== 'agent') return {}
  return { sponsor: 'alice', provenance: { model: 'm', promptDigest: '00', tool: 'test' } }
}

/** Policy and identity changes; some loosen, some tighten, some are refused. */
const documents = [
  {
    '/sys/policies/prod': json(
      policy(rule('prod', ['/prod/**'], { need: [{ count: 2, group: 'operators' }] })),
    ),
  },
  {
    '/sys/policies/prod': json(
      policy(rule('prod', ['/prod/**'], { need: [{ count: 3, group: 'operators' }] })),
    ),
  },
  { '/sys/people/dave': json(person('dave', { status: 'suspended' })) },
  { '/sys/people/dave': json(person('dave')) },
  { '/sys/groups/operators': json(group('operators', ['alice', 'bob', 'carol'])) },
  { [`/sys/keys/${keyOf('dave').keyId}`]: json(keyOf('dave', { status: 'revoked' })) },
]
