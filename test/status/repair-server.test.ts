import t from 'tap'
import type { RepairFacts } from '../../src/node/ports.js'
import { startRepairStatus } from '../../src/status/index.js'

await t.test('a node in repair: how far it is, in words and in figures', async (t) => {
  const damage = { file: 'log', key: 'entries 4 to 9', problem: 'is damaged', range: null }
  let facts: RepairFacts = { damages: [damage], missing: null, rounds: 0 }
  const server = await startRepairStatus({
    listen: '127.0.0.1:0',
    nodeId: 'node-1',
    facts: () => facts,
  })
  t.teardown(() => server.close())
  const read = async (route: string): Promise<string> =>
    (await fetch(new URL(route, server.url))).text()

  t.match(JSON.parse(await read('/status')), { state: 'repairing', rounds: 0 })
  t.match(await read('/metrics'), /^countersign_repair_missing_entries 0$/m)
  facts = { ...facts, missing: { from: 4, to: 9 }, rounds: 3 }
  const text = await read('/metrics')
  t.match(text, /^countersign_repairing 1$/m)
  t.match(text, /^countersign_ready 0$/m)
  t.match(text, /^countersign_repair_rounds_total 3$/m)
  t.match(text, /^countersign_repair_missing_entries 6$/m)
  t.match(text, /^countersign_loop_busy_seconds_total \d/m)
  t.match(text, /^process_cpu_seconds_total/m)
  t.notMatch(text, /countersign_raft/, 'nothing of a log that is not whole')
  t.match(JSON.parse(await read('/changes')), { error: { code: 'NODE_STARTING' } })
})
