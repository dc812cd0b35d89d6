import type { Hex32, Op, PersonKey } from '../approval/index.js'
import type { Step } from './step.js'

const peoplePrefix = '/sys/people/'
const keysPrefix = '/sys/keys/'

/**
 * What apply itself records of people and keys when their documents are written. A new key is
 * pending until it acknowledges the log, and `registeredAt` is taken from the next Tick: log time
 * may be old now, and the cool-off must not become shorter for it.
 */
export function takeGovernance(step: Step, ops: readonly Op[]): void {
  for (const { path } of ops) {
    if (path.startsWith(peoplePrefix)) registerPerson(step, path.slice(peoplePrefix.length))
    if (path.startsWith(keysPrefix)) registerKey(step, path.slice(keysPrefix.length))
  }
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
