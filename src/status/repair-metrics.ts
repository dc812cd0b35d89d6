/** What a node that repairs its log has to tell: nothing of its log, which is not whole. */
import { Registry, collectDefaultMetrics } from 'prom-client'
import type { RepairFacts } from '../node/ports.js'
import { fillLoop, RowSet } from './metric-rows.js'
import type { Metrics } from './metrics.js'

/** Of each other row there is none: zeros would look like a node that has lost everything. */
const told = ['ready', 'loopBusy', 'repairing', 'repairRounds', 'repairMissing'] as const

export function createRepairMetrics(facts: () => RepairFacts): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const rows = new RowSet(registry, told)
  return {
    contentType: registry.contentType,
    text: () => {
      const { rounds, missing } = facts()
      fillLoop(rows)
      rows.set('repairing', 1)
      rows.total('repairRounds', rounds)
      rows.set('repairMissing', missing === null ? 0 : missing.to - missing.from + 1)
      return registry.metrics()
    },
    close: () => {
      registry.clear()
    },
  }
}
