import t from 'tap'
import { decodeGenesis } from '../../src/approval/index.js'
import { createMachine } from '../../src/machine/index.js'
import type { Machine } from '../../src/machine/index.js'
import { fromBase64, verifyStrict } from '../../src/signing/index.js'
import { decodeCommand } from '../../src/wire/index.js'
import { readRepositoryFile } from '../house/repository.js'
import { recordLevelOne } from './record-level-1.js'
import { recordLevelTwo, recordRaised } from './record-level-2.js'

const logs = {
  'level-1': recordLevelOne,
  'level-2': recordLevelTwo,
  'raised-to-2': recordRaised,
} as const

interface Line {
  readonly genesis?: string
  readonly entry?: string | null
  readonly digest?: string
}

for (const [name, record] of Object.entries(logs)) {
  await t.test(`the log ${name} gives the same state under this build`, async (t) => {
    const lines = textOf(name)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const machine = replayed(lines)
    const status = machine.status()
    t.equal(status.stateDigest, lines.at(-1)?.digest)
    t.equal(machine.recomputeDigest(), status.stateDigest)
  })
  await t.test(`the recorder writes that very ${name}`, async (t) => {
    t.equal(record(), textOf(name))
  })
}

await t.test('the story of level 1 brings changes to every state', async (t) => {
  const lines = textOf('level-1')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  const { ACTIVE, REJECTED, WITHDRAWN, EXPIRED, STALE, VOIDED } =
    replayed(lines).status().changesByState
  const counts = { ACTIVE, REJECTED, WITHDRAWN, EXPIRED, STALE, VOIDED }
  for (const [state, count] of Object.entries(counts)) t.ok(count > 0, state)
})

function textOf(name: string): string {
  return readRepositoryFile(`test/fixtures/logs/${name}.ndjson`)
}

function replayed(lines: readonly Line[]): Machine {
  const decoded = decodeGenesis(bytesOf(lines[0]?.genesis))
  if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
  const machine = createMachine(decoded.genesis, decoded.clusterId)
  lines.slice(1, -1).forEach(({ entry }, i) => {
    const index = i + 1
    if (entry === null) machine.skip(index, 1)
    else machine.apply({ index, term: 1, command: decodeCommand(bytesOf(entry)) }, verifyStrict)
  })
  return machine
}

function bytesOf(base64: string | null | undefined): Uint8Array {
  const bytes = fromBase64(base64 ?? '')
  if (bytes === null) throw new Error('the recorded log holds bytes that are not base64')
  return bytes
}
