import t from 'tap'
import { Tried } from '../../src/client/tried.js'
import type { Failure } from '../../src/client/from-grpc.js'
import { CountersignError } from '../../src/errors.js'

const noQuorum: Failure = {
  kind: 'refused',
  error: new CountersignError('NO_QUORUM', 'No majority answers.', { details: { term: 3 } }),
}
const lost = (wasSent: boolean): Failure => ({
  kind: 'lost',
  wasSent,
  error: new CountersignError('UNREACHABLE', 'It did not answer: refused'),
})
const misfit: Failure = {
  kind: 'lost',
  wasSent: false,
  error: new CountersignError('CERTIFICATE_MISFIT', 'It is of another CA.'),
}
const facts = { isOutcomeOpen: false, deadlineMs: 300 }

await t.test('what a node said counts more than who could not be reached, in any order', (t) => {
  for (const order of ['answer first', 'answer last']) {
    const tried = new Tried()
    if (order === 'answer first') tried.failed('a:1', noQuorum)
    tried.failed('b:1', lost(false))
    tried.failed('c:1', lost(true))
    if (order === 'answer last') tried.failed('a:1', noQuorum)
    t.match(
      tried.outOfTime(facts),
      {
        code: 'NO_QUORUM',
        message: /^No majority answers\. \(Gave up after 300 ms; tried/,
        details: { term: 3, tried: { 'a:1': 'NO_QUORUM', 'b:1': /refused/ } },
      },
      order,
    )
  }
  t.end()
})

await t.test('a node that answered stands for it while silent, not when it is gone', (t) => {
  const tried = new Tried()
  tried.failed('a:1', noQuorum)
  tried.failed('a:1', lost(true))
  t.equal(tried.outOfTime(facts).code, 'NO_QUORUM')
  tried.failed('a:1', lost(false))
  t.equal(tried.outOfTime(facts).code, 'UNREACHABLE')
  t.end()
})

await t.test('an open outcome stays open, and nowhere is nowhere', (t) => {
  const tried = new Tried()
  t.equal(tried.isNowhere, true)
  t.match(tried.outOfTime(facts), { code: 'UNREACHABLE', message: /Tried none/ })
  tried.failed('a:1', noQuorum)
  t.equal(tried.isNowhere, false)
  t.equal(tried.outOfTime({ ...facts, isOutcomeOpen: true }).code, 'UNKNOWN_OUTCOME')
  t.end()
})

await t.test('another cluster says more than silence, and less than an answer', (t) => {
  const tried = new Tried()
  tried.failed('a:1', misfit)
  t.equal(tried.fitsNowhere(['a:1', 'b:1']), false, 'the other may fit')
  tried.failed('b:1', lost(false))
  t.match(tried.outOfTime(facts), { code: 'CERTIFICATE_MISFIT', message: /Tried a:1, b:1/ })
  t.equal(tried.fitsNowhere(['a:1', 'b:1']), false, 'who is not there may come back')
  tried.failed('b:1', misfit)
  t.equal(tried.fitsNowhere(['a:1', 'b:1']), true)
  tried.silent('b:1')
  t.equal(tried.fitsNowhere(['a:1', 'b:1']), false, 'it took the connection by now')
  tried.failed('c:1', noQuorum)
  t.equal(tried.outOfTime(facts).code, 'NO_QUORUM')
  tried.failed('b:1', misfit)
  t.equal(tried.fitsNowhere(['a:1', 'b:1']), false, 'a node of this cluster has answered')
  t.end()
})
