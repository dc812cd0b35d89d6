/** A state machine that knows what a snapshot holds and nothing else. */
import { createMachine, type Machine } from '../../../src/machine/index.js'
import { verifyStrict } from '../../../src/signing/index.js'
import type { World } from '../../machine/world.js'

/** Replays the world's log into records, as the state store keeps them, and restores from these. */
export function machineBySnapshot(world: World): Machine {
  const replay = createMachine(world.genesis, world.clusterId)
  const records = new Map<string, Uint8Array>()
  const keep = (writes: ReturnType<Machine['genesisWrites']>): void => {
    for (const { key, value } of writes) {
      if (value === null) records.delete(key)
      else records.set(key, value)
    }
  }
  keep(replay.genesisWrites())
  world.log.forEach((command, position) => {
    const index = position + 1
    const applied =
      command === null
        ? replay.skip(index, 1)
        : replay.apply({ index, term: 1, command }, verifyStrict)
    keep(applied.writes)
  })
  const { appliedIndex: index, stateDigest: digest } = world.machine.status()
  const machine = createMachine(world.genesis, world.clusterId)
  machine.replaceState(records, { index, digest })
  return machine
}
