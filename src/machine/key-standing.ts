/** What a key may do by now, and from when: what explains KEY_PENDING and KEY_TOO_NEW. */
import { later } from '../approval/index.js'
import type { Hex32 } from '../approval/index.js'
import type { Sight } from './sight.js'
import type { KeyStanding } from './views.js'

export function keyStanding({ law, state }: Sight, keyId: Hex32): KeyStanding | undefined {
  const row = state.keys.get(keyId)
  const key = state.governance.key(keyId)
  if (row === undefined || key === undefined) return undefined
  const { registeredAt, acknowledgedAt } = row
  const countsFrom = registeredAt === undefined ? null : later(registeredAt, law.coolOffMs)
  return {
    state: wordOf(),
    // Those of genesis are registered at 0, past every cool-off from the first day.
    ...(registeredAt === undefined || registeredAt === 0 ? {} : { registeredAt }),
    ...(acknowledgedAt === undefined ? {} : { acknowledgedAt }),
    ...(registeredAt === 0 || countsFrom === null ? {} : { countsFrom }),
  }

  function wordOf(): KeyStanding['state'] {
    if (key?.status === 'revoked') return 'revoked'
    if (acknowledgedAt === undefined) return 'pending'
    return countsFrom !== null && countsFrom <= state.logTime ? 'active' : 'waiting'
  }
}
