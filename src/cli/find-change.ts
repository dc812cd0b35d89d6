import type { CountersignClient } from '../client/index.js'
import { CountersignError } from '../errors.js'
import { usage } from './failures.js'

/** A change id in full, from an id or the unique beginning of one. */
export async function findChangeId(client: CountersignClient, text: string): Promise<string> {
  const given = text.toLowerCase()
  if (!/^[0-9a-f]{1,32}$/.test(given)) {
    throw usage(`"${text}" is not a change id.`, 'Take it from `countersign changes`.')
  }
  if (given.length === 32) return given
  if (given.length < 4) throw usage(`"${text}" is too short: give at least 4 digits.`)
  const { value } = await client.listChanges()
  const found = value.filter((change) => change.changeId.startsWith(given))
  const [only] = found
  if (only !== undefined && found.length === 1) return only.changeId
  if (only === undefined) {
    throw new CountersignError('UNKNOWN_CHANGE', `No change id begins with ${given}.`, {
      details: { next: 'See `countersign changes`.' },
    })
  }
  throw usage(
    `${String(found.length)} change ids begin with ${given}.`,
    `Give more digits: ${found
      .slice(0, 5)
      .map((change) => change.changeId.slice(0, 12))
      .join(', ')}.`,
  )
}
