import { nodeKeyFields } from '../approval/index.js'
import type { GenesisNode, Hex32, Id, Op, PersonKey, Revision } from '../approval/index.js'
import { featureLevelPath } from './features.js'
import type { State } from './state.js'
import type { Step } from './step.js'

const peoplePrefix = '/sys/people/'
const keysPrefix = '/sys/keys/'
const nodesPrefix = '/sys/nodes/'

/**
 * What apply itself records of people, keys and nodes when their documents are written. A new key is
 * pending until it acknowledges the log, and `registeredAt` is taken from the next Tick: log time
 * may be old now, and the cool-off must not become shorter for it.
 */
export function takeGovernance(step: Step, ops: readonly Op[]): void {
  for (const { path } of ops) {
    if (path.startsWith(peoplePrefix)) registerPerson(step, path.slice(peoplePrefix.length))
    if (path.startsWith(keysPrefix)) registerKey(step, path.slice(keysPrefix.length))
    if (path.startsWith(nodesPrefix)) registerNode(step, path.slice(nodesPrefix.length))
    if (path === featureLevelPath) admitNodes(step.state)
  }
}

/** From feature level 2 on every node id that is in use counts as used; at level 1 none is kept. */
export function admitNodes(state: State): void {
  if (state.governance.featureLevel < 2) return
  for (const node of state.governance.nodes()) {
    if (state.nodes.has(node.id)) continue
    const entry = state.entries.get(`${nodesPrefix}${node.id}`)
    admit(state, node, entry?.createRevision ?? 0)
  }
}

function registerNode({ state, index }: Step, id: Id): void {
  const row = state.nodes.get(id)
  const node = state.governance.node(id)
  if (node === undefined) {
    if (row !== undefined) state.nodes.put(id, { ...row, removedIndex: index })
  } else if (row === undefined) admit(state, node, index)
}

function admit(state: State, node: GenesisNode, admittedIndex: Revision): void {
  state.nodes.put(node.id, {
    id: node.id,
    incarnation: node.incarnation,
    keys: nodeKeyFields.map((field) => node[field]),
    admittedIndex,
  })
}

function registerPerson({ state }: Step, person: string): void {
  if (!state.people.has(person)) state.people.put(person, { registeredAt: state.logTime })
}

function registerKey({ state }: Step, keyId: Hex32): void {
  const key: PersonKey | undefined = state.governance.key(keyId)
  if (key === undefined) return
  const row = state.keys.get(keyId) ?? { person: key.person }
  const revoked = key.status === 'revoked' && row.revokedAt === undefined
  state.keys.put(keyId, revoked ? { ...row, revokedAt: state.logTime } : row)
}
