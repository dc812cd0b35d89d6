import t from 'tap'
import { CountersignError } from '../../src/errors.js'
import type { CommandResult } from '../../src/machine/index.js'
import { Submissions } from '../../src/node/submissions.js'
import { logIndex, term } from '../../src/raft/index.js'

const notLeader = (): CountersignError => new CountersignError('NOT_LEADER', 'another one leads')

const result = (index: number): CommandResult => ({ kind: 'accepted', index, repeated: false })

await t.test('no more commands wait than are allowed: BUSY, until one is answered', async (t) => {
  const submissions = new Submissions(2)
  const ids: number[] = []
  const submit = (): Promise<CommandResult> => submissions.submit((id) => ids.push(id))
  const first = submit()
  const second = submit()
  await t.rejects(submit(), { code: 'BUSY' })
  const [id = 0] = ids
  submissions.outcome({ kind: 'appended', id, index: logIndex(7), term: term(3) }, notLeader)
  await t.rejects(submit(), { code: 'BUSY' }, 'what is in the log waits as well')
  submissions.applied(7, 3, result(7))
  t.same(await first, result(7))
  const third = submit()
  t.equal(submissions.size, 2)
  submissions.close(notLeader)
  await t.rejects(second, { code: 'NOT_LEADER' })
  await t.rejects(third, { code: 'NOT_LEADER' })
})

await t.test(
  'too many bytes that are not committed: BUSY, and nothing is left behind',
  async (t) => {
    const submissions = new Submissions(2)
    let id = 0
    const refused = submissions.submit((given) => (id = given))
    submissions.outcome({ kind: 'refused', id, code: 'BUSY', leader: null }, notLeader)
    await t.rejects(refused, { code: 'BUSY' })
    t.equal(submissions.size, 0)
  },
)

await t.test('an index that another term has filled is an unknown outcome', async (t) => {
  const submissions = new Submissions(1)
  let id = 0
  const waiting = submissions.submit((given) => (id = given))
  submissions.outcome({ kind: 'appended', id, index: logIndex(7), term: term(3) }, notLeader)
  submissions.applied(7, 4, result(7))
  await t.rejects(waiting, { code: 'UNKNOWN_OUTCOME' })
})
