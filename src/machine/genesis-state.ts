/** The state at index 0: genesis as config tree, so that everything in it is governed from then on. */
import type { Genesis, Path } from '../approval/index.js'
import type { Json } from '../signing/index.js'
import { writeOp } from './config-tree.js'
import { featureLevelPath } from './features.js'
import { admitNodes } from './registration.js'
import type { State } from './state.js'

/** Index 1 is always the founding no-op, never an activation; 0 means "does not exist". */
export const genesisRevision = 1

export function writeGenesis(state: State, genesis: Genesis): void {
  state.initialise({
    appliedIndex: 0,
    logTime: genesis.createdAt,
    lastTickIndex: 0,
    refusals: 0,
    noise: 0,
  })
  for (const [path, value] of documentsOf(genesis)) {
    writeOp(
      state,
      { action: 'put', path, value },
      {
        content: { kind: 'value', value },
        index: genesisRevision,
        at: genesis.createdAt,
        changeId: '',
      },
    )
  }
  for (const person of genesis.people) {
    state.people.put(person.id, { registeredAt: genesis.createdAt })
  }
  for (const key of genesis.keys) {
    // Registered at 0: past every cool-off from the first day.
    state.keys.put(key.keyId, {
      person: key.person,
      registeredAt: 0,
      acknowledgedAt: genesis.createdAt,
    })
  }
  admitNodes(state)
}

function documentsOf(genesis: Genesis): readonly (readonly [path: Path, value: Json])[] {
  const json = (document: object): Json => document as unknown as Json
  return [
    ...genesis.people.map((one) => [`/sys/people/${one.id}`, json(one)] as const),
    ...genesis.keys.map((one) => [`/sys/keys/${one.keyId}`, json(one)] as const),
    ...genesis.groups.map((one) => [`/sys/groups/${one.name}`, json(one)] as const),
    ...genesis.policies.map((one) => [`/sys/policies/${one.name}`, json(one.document)] as const),
    ...genesis.nodes.map((one) => [`/sys/nodes/${one.id}`, json(one)] as const),
    [featureLevelPath, genesis.featureLevel],
  ]
}
