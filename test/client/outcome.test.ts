import t from 'tap'
import { outcomeOfRejection } from '../../src/client/index.js'
import { CountersignError, type ErrorCode } from '../../src/errors.js'

const of = (code: ErrorCode) => outcomeOfRejection(new CountersignError(code, 'because'))

await t.test('who cannot know what became of a message says so', (t) => {
  for (const code of ['UNKNOWN_OUTCOME', 'NO_QUORUM', 'CANCELLED', 'INTERNAL'] as const) {
    t.equal(of(code), 'unknown', code)
  }
  t.equal(outcomeOfRejection(new TypeError('a fault of the caller')), 'unknown')
  t.end()
})

await t.test('a refusal, and a message that never arrived, had no effect', (t) => {
  for (const code of ['STALE_BASE', 'EXPIRED', 'BUSY', 'UNREACHABLE', 'NODE_STOPPING'] as const) {
    t.equal(of(code), 'refused', code)
  }
  t.end()
})
