/** The steps of a change as tables, the encoding of configurations, and their history. */
import fc from 'fast-check'
import t from 'tap'
import {
  configurationOf,
  foundingSnapshot,
  logIndex,
  term,
  type Configuration,
  type Entry,
} from '../../src/raft/index.js'
import { finalStep, firstStep, jointStep } from '../../src/raft/membership/change.js'
import { decodeConfiguration, encodeConfiguration } from '../../src/raft/membership/codec.js'
import { isSound, membersOf, votersOf } from '../../src/raft/membership/configuration.js'
import { ConfigurationHistory } from '../../src/raft/membership/history.js'
import { bytes } from './group.js'
import '../property-seed.js'

/** `abc`: voters; `abc|ab`: joint; `abc+d`: a learner; `abc+d>abcd`: a target. */
function conf(text: string): Configuration {
  const [rest = '', target] = text.split('>')
  const [halves = '', learners = ''] = rest.split('+')
  const [voters = '', outgoing = ''] = halves.split('|')
  const ids = (word: string) => Array.from(word)
  return {
    voters: ids(voters),
    outgoing: ids(outgoing),
    learners: ids(learners),
    target: target === undefined ? null : ids(target),
  }
}

await t.test('the first step of a change', async (t) => {
  const cases: [before: string, voters: string, learners: string, keepUp: string, step: string][] =
    [
      ['abc', 'abc', '', '', 'abc'],
      ['abc', 'cba', 'ed', '', 'abc+de'],
      ['abc+d', 'abc', '', '', 'abc'],
      ['abc', 'ab', '', '', 'ab|abc'],
      ['abc', 'a', '', '', 'a|abc'],
      ['abc', 'ab', 'c', '', 'ab|abc+c'],
      ['abc', 'abcd', '', '', 'abc+d>abcd'],
      ['abc', 'abd', '', '', 'abc+d>abd'],
      ['abc', 'abd', 'ce', '', 'abc+cde>abd'],
      ['abc', 'def', '', '', 'abc+def>def'],
      ['abc+d', 'abcd', '', '', 'abc+d>abcd'],
      ['abc+d', 'abcd', '', 'd', 'abcd|abc'],
      ['abc+de', 'abcde', '', 'd', 'abc+de>abcde'],
      ['abc+de', 'abcd', 'e', 'd', 'abcd|abc+e'],
      ['abc', 'abcd', '', 'd', 'abc+d>abcd'],
      ['abc+d>abcd', 'abc', '', 'd', 'abc'],
      ['abc+d>abcd', 'abce', '', '', 'abc+e>abce'],
      ['abc+d>abcd', 'abd', '', 'd', 'abd|abc'],
    ]
  for (const [before, voters, learners, keepUp, step] of cases) {
    const wanted = { voters: Array.from(voters), learners: Array.from(learners) }
    const keepsUp = (id: string) => keepUp.includes(id)
    const next = firstStep(conf(before), wanted, { keepsUp, majorityAnswers: true })
    t.same(next, conf(step), `${before} to ${voters}+${learners}`)
    t.ok(isSound(next))
  }
})

await t.test(
  'no majority of the wanted voters answers: the wish is only written down',
  async (t) => {
    const cases: [before: string, voters: string, learners: string, step: string][] = [
      ['abc', 'ab', '', 'abc>ab'],
      ['abc', 'ab', 'c', 'abc+c>ab'],
      ['abc+d', 'abcd', '', 'abc+d>abcd'],
      ['abc+d', 'abc', '', 'abc'],
    ]
    for (const [before, voters, learners, step] of cases) {
      const wanted = { voters: Array.from(voters), learners: Array.from(learners) }
      const next = firstStep(conf(before), wanted, { keepsUp: () => true, majorityAnswers: false })
      t.same(next, conf(step), `${before} to ${voters}+${learners}`)
      t.ok(isSound(next))
    }
  },
)

await t.test('the joint step and the final one', async (t) => {
  const cases: [before: string, joint: string, final: string][] = [
    ['abc+d>abcd', 'abcd|abc', 'abcd'],
    ['abc+cde>abd', 'abd|abc+ce', 'abd+ce'],
    ['abc+def>def', 'def|abc', 'def'],
  ]
  for (const [before, joint, final] of cases) {
    const { target } = conf(before)
    const between = jointStep(conf(before), target ?? [])
    t.same(between, conf(joint))
    t.ok(isSound(between))
    t.same(finalStep(between), conf(final))
  }
})

const ids = fc.uniqueArray(fc.constantFrom(...Array.from('abcdef')), { maxLength: 6 })
const wish = fc
  .tuple(ids, fc.nat(6))
  .map(([all, cut]) => ({ voters: all.slice(0, cut), learners: all.slice(cut) }))
  .filter(({ voters }) => voters.length > 0)

await t.test('any change reaches what was asked for, by sound steps', async (t) => {
  fc.assert(
    fc.property(wish, wish, ids, fc.boolean(), (founders, wanted, keepUp, majorityAnswers) => {
      let now = configurationOf(founders.voters, founders.learners)
      now = firstStep(now, wanted, { keepsUp: (id) => keepUp.includes(id), majorityAnswers })
      for (let step = 0; step < 3; step += 1) {
        if (!isSound(now)) return false
        if (now.target !== null) now = jointStep(now, now.target)
        else if (now.outgoing.length > 0) now = finalStep(now)
      }
      const end = configurationOf(wanted.voters, wanted.learners)
      return JSON.stringify(now) === JSON.stringify(end)
    }),
  )
  t.pass()
})

await t.test('who votes and who is sent the log', async (t) => {
  const joint = conf('abd|abc+ce')
  t.same(votersOf(joint), ['a', 'b', 'c', 'd'])
  t.same(membersOf(joint), ['a', 'b', 'c', 'd', 'e'])
})

await t.test('unsound configurations', async (t) => {
  const cases = ['', '+a', 'ba', 'aa', 'ab+b', 'ab+dc', 'ab|ba', 'ab+c>', 'ab+c>abd', 'ab|ac+d>ab']
  for (const text of cases) t.notOk(isSound(conf(text)), `"${text}"`)
  t.notOk(isSound(conf('ab+b>ab')), 'a learner that stays a voter')
  t.ok(isSound(conf('ab+b>a')), 'a voter that becomes a learner')
})

await t.test('the encoding is read back, and is the only one', async (t) => {
  fc.assert(
    fc.property(wish, wish, (founders, wanted) => {
      const now = configurationOf(founders.voters, founders.learners)
      const configuration = firstStep(now, wanted, { keepsUp: () => false, majorityAnswers: true })
      const decoded = decodeConfiguration(encodeConfiguration(configuration))
      return JSON.stringify(decoded) === JSON.stringify(configuration)
    }),
  )
  const text = '{"learners":[],"outgoing":[],"target":null,"voters":["a","b"]}'
  t.same(decodeConfiguration(bytes(text)), configurationOf(['a', 'b']))
  const refused = [
    '',
    '{}',
    'null',
    '[]',
    text.slice(0, -1),
    ` ${text}`,
    `\uFEFF${text}`,
    text.replace('"a","b"', '"b","a"'),
    text.replace('"a","b"', ''),
    text.replace('"a","b"', '1'),
    text.replace('"a"', '"\\u0061"'),
    text.replace('null', '[]'),
    text.replace('null', '"a"'),
    text.replace('"learners":[],', ''),
    text.replace('}', ',"witnesses":[]}'),
    '{"voters":["a","b"],"learners":[],"outgoing":[],"target":null}',
  ]
  for (const one of refused) t.equal(decodeConfiguration(bytes(one)), null, one)
  t.equal(decodeConfiguration(new Uint8Array([0xff])), null)
})

function entryOf(index: number, configuration: Configuration | null): Entry {
  return {
    index: logIndex(index),
    term: term(1),
    kind: configuration === null ? 'command' : 'configuration',
    payload: configuration === null ? bytes('x') : encodeConfiguration(configuration),
  }
}

await t.test('34: the history says what a scan of the log says, whatever is cut off', async (t) => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), voters: fc.option(wish) }),
    fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(6) }),
    fc.record({ kind: fc.constant('commit' as const), ahead: fc.nat(4) }),
    fc.record({ kind: fc.constant('restore' as const), ahead: fc.integer({ min: 1, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      let snapshot = foundingSnapshot(['a', 'b', 'c'])
      let log: Entry[] = []
      let commit = 0
      const history = new ConfigurationHistory(snapshot, [], logIndex(0))
      const lastIndex = () => log.at(-1)?.index ?? snapshot.index
      for (const one of actions) {
        if (one.kind === 'append') {
          const members = one.voters
          const configuration =
            members === null ? null : configurationOf(members.voters, members.learners)
          const entry = entryOf(lastIndex() + 1, configuration)
          log.push(entry)
          history.appended([entry])
        } else if (one.kind === 'truncate') {
          const index = Math.max(commit, lastIndex() - one.back)
          log = log.filter((entry) => entry.index <= index)
          history.truncatedAfter(logIndex(index))
        } else if (one.kind === 'commit') {
          commit = Math.min(lastIndex(), commit + one.ahead)
          history.committedTo(logIndex(commit))
        } else {
          const index = logIndex(commit + one.ahead)
          const configuration = configurationOf(['x', 'y'])
          snapshot = { index, term: term(1), configuration, configurationIndex: index }
          log = []
          commit = index
          history.restored(snapshot)
        }
        const found = scan(snapshot, log, commit)
        const said = { inForce: history.inForce, committed: history.committed }
        if (JSON.stringify(found) !== JSON.stringify(said)) return false
      }
      return true
    }),
  )
  t.pass()
})

function scan(snapshot: ReturnType<typeof foundingSnapshot>, log: Entry[], commit: number) {
  let inForce = { configuration: snapshot.configuration, index: snapshot.configurationIndex }
  let committed = inForce
  for (const { kind, index, payload } of log) {
    const configuration = kind === 'configuration' ? decodeConfiguration(payload) : null
    if (configuration === null) continue
    inForce = { configuration, index }
    if (index <= commit) committed = inForce
  }
  return { inForce, committed }
}

await t.test('a configuration in the own log that cannot be read stops the node', async (t) => {
  const broken = { ...entryOf(1, null), kind: 'configuration' as const }
  t.throws(() => new ConfigurationHistory(foundingSnapshot(['a']), [broken], logIndex(0)), {
    name: 'InvariantViolation',
    message: 'a configuration in the log can be read',
  })
})
