import { readFileSync } from 'node:fs'
import t from 'tap'
import { decodeGenesis } from '../../src/approval/index.js'
import { createMachine } from '../../src/machine/index.js'
import { fromBase64, verifyStrict } from '../../src/signing/index.js'
import { decodeCommand } from '../../src/wire/index.js'
import { recordLevelOne } from './record-level-1.js'

const path = new URL('../fixtures/logs/level-1.ndjson', import.meta.url)

interface Line {
  readonly genesis?: string
  readonly entry?: string | null
  readonly digest?: string
}

await t.test('a log of feature level 1 gives the same state under this build', async (t) => {
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  const decoded = decodeGenesis(bytesOf(lines[0]?.genesis))
  if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
  const machine = createMachine(decoded.genesis, decoded.clusterId)
  lines.slice(1, -1).forEach(({ entry }, i) => {
    const index = i + 1
    if (entry === null) machine.skip(index, 1)
    else machine.apply({ index, term: 1, command: decodeCommand(bytesOf(entry)) }, verifyStrict)
  })
  const status = machine.status()
  t.equal(status.stateDigest, lines.at(-1)?.digest)
  t.equal(machine.recomputeDigest(), status.stateDigest)
  const { ACTIVE, REJECTED, WITHDRAWN, EXPIRED, STALE, VOIDED } = status.changesByState
  for (const [state, count] of Object.entries({
    ACTIVE,
    REJECTED,
    WITHDRAWN,
    EXPIRED,
    STALE,
    VOIDED,
  })) {
    t.ok(count > 0, `the story brings a change to ${state}`)
  }
})

await t.test('the recorder writes that very file', async (t) => {
  t.equal(recordLevelOne(), readFileSync(path, 'utf8'))
})

function bytesOf(base64: string | null | undefined): Uint8Array {
  const bytes = fromBase64(base64 ?? '')
  if (bytes === null) throw new Error('the recorded log holds bytes that are not base64')
  return bytes
}
