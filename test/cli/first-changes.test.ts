/**
 * From each genesis that `init` can make, a cluster can live: a change, a second one to the same
 * path, and a new person whose approval counts. The founding is the very one of `init`; only the
 * keys are those of the tests.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { durationMs } from '../../src/approval/forms/duration.js'
import { exampleFounding, makeGenesis, type Founding } from '../../src/cli/founding/genesis.js'
import { readFounding } from '../../src/cli/founding/genesis-file.js'
import {
  group,
  json,
  keyOf,
  minute,
  monday,
  nodeAt,
  outcome,
  person,
  signerOf,
  World,
} from '../machine/world.js'

interface Life {
  /** Where the changes are made, by whom, and who approves them. */
  readonly at: string
  readonly by: string
  readonly approvers: readonly string[]
  /** The group that dave joins, and with whom he approves there. */
  readonly joins: string
  readonly beside: readonly string[]
}

const founders = ['alice', 'bob', 'carol']

function worldOf(founding: Founding): World {
  const nodes = [1, 2, 3].map((n) => nodeAt(`node-${String(n)}`, 7100 + n))
  return new World({ genesis: makeGenesis(founding, nodes, monday) })
}

function live(t: Test, founding: Founding, { at, by, approvers, joins, beside }: Life): void {
  const world = worldOf(founding)
  world.carry({ by, set: { [at]: 1 } }, approvers)
  world.carry({ by, set: { [at]: 2 } }, approvers)
  t.equal(world.value(at), 2)

  const members = world.genesis.groups.find(({ name }) => name === joins)?.members ?? []
  const set = {
    '/sys/people/dave': json(person('dave')),
    [`/sys/keys/${signerOf('dave').keyId}`]: json(world.newKey('dave')),
    [`/sys/groups/${joins}`]: json(group(joins, [...members, 'dave'])),
  }
  world.carry({ by: 'alice', set }, ['bob', 'carol'])
  t.equal(outcome(world.acknowledge('dave')), 'accepted')
  const coolOffMs = durationMs(world.genesis.coolOff)
  world.tick(minute)
  if (coolOffMs > minute) {
    const { changeId } = world.propose({ by, set: { [at]: 3 } })
    for (const one of ['dave', ...beside]) world.approve(one, changeId)
    t.equal(world.state(changeId), 'OPEN', 'a new key has to cool off')
    t.equal(outcome(world.withdraw(by, changeId)), 'WITHDRAWN')
  }
  world.tick(coolOffMs)
  world.carry({ by, set: { [at]: 4 } }, ['dave', ...beside])
  t.equal(world.value(at), 4)
}

const example = exampleFounding([
  ...founders.map((name) => keyOf(name)),
  keyOf('agent', { uses: ['propose'] }),
])

await t.test('init --example', async (t) => {
  const life = { at: '/prod/a', approvers: ['bob', 'carol'], joins: 'operators', beside: ['bob'] }
  live(t, example, { ...life, by: 'alice' })
  await t.test('and the agent proposes for alice', async (t) => {
    const world = worldOf(example)
    const provenance = { model: 'm', promptDigest: 'd', tool: 't' }
    const set = { '/prod/a': 1 }
    world.carry({ by: 'agent', sponsor: 'alice', provenance, set }, ['bob', 'carol'])
    t.equal(world.value('/prod/a'), 1)
  })
})

const people = founders.map((id) => `  - {id: ${id}, kind: human}`).join('\n')
const keys = founders
  .map((id) => `  - {person: ${id}, publicKey: ${keyOf(id).publicKey}}`)
  .join('\n')
const need2 = '[{count: 2, group: operators}]'
const rule = (id: string, paths: string, need: string): string =>
  `{id: ${id}, paths: [${paths}], propose: {groups: [operators]}, need: ${need}}`

/** What `docs/cli.md` shows, and the means to bend it. */
const file = (
  more: string,
  rules = rule('prod', '/prod/**', need2),
  { lowRisk = '', groups = '' } = {},
): string => `name: founded
people:
${people}
keys:
${keys}
groups:
  - {name: operators, members: [${founders.join(', ')}]}
${groups}policies:
  governance: {format: 1, rules: [${rule('governance', '/sys/**', need2)}]}
  prod: {format: 1, rules: [${rules}]}
floor: {config: 2, sys: 2, lowRisk: [${lowRisk}]}
${more}`

const usual: Life = {
  at: '/prod/a',
  by: 'alice',
  approvers: ['bob', 'carol'],
  joins: 'operators',
  beside: ['bob'],
}
const variants: Readonly<Record<string, readonly [content: string, life: Life]>> = {
  'nothing but what must be said': [file(''), usual],
  'no time to cool off': [file('coolOff: 0s\n'), usual],
  'everything said': [
    file(`coolOff: 30m
riskTimeout: 5m
agreementWindow: 30s
lifeMax: 7d
defaults: {open: 24h, use: 1h}
limits: {openChanges: 2, openChangesPerPerson: 1, revisionsPerChange: 2}
`),
    usual,
  ],
  'paths of low risk, where one is enough': [
    file('', rule('low', '/low/**', '[{count: 1, group: operators}]'), { lowRisk: "'/low/**'" }),
    { ...usual, at: '/low/a', approvers: ['bob'], beside: [] },
  ],
  'several groups, a seat for each': [
    file(
      '',
      rule('prod', '/prod/**', '[{count: 1, group: operators}, {count: 1, group: security}]'),
      {
        groups: '  - {name: security, members: [bob, carol]}\n',
      },
    ),
    { ...usual, joins: 'security' },
  ],
}

for (const [name, [content, life]] of Object.entries(variants)) {
  await t.test(`init --genesis-file: ${name}`, async (t) => {
    const founding = path.join(t.testdir({}), 'founding.yaml')
    await writeFile(founding, content)
    live(t, await readFounding(founding), life)
  })
}
