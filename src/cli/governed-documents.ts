/** People, keys, groups and policies as they stand in the cluster now. */
import {
  decodeDocuments,
  governedBy,
  overlay,
  type Genesis,
  type Governed,
  type Group,
  type Op,
  type Person,
  type PersonKey,
} from '../approval/index.js'
import type { CountersignClient } from '../client/index.js'
import { CountersignError } from '../errors.js'
import type { EntryView, KeyStanding } from '../machine/index.js'

export interface Governance {
  readonly people: readonly Person[]
  readonly keys: readonly PersonKey[]
  /** By key id; empty when the node is of a build that does not tell. */
  readonly standings: ReadonlyMap<string, KeyStanding>
  readonly groups: readonly Group[]
  readonly governed: Governed
  readonly revision: number
}

/** Reads and decodes all of `/sys/people`, `/sys/keys`, `/sys/groups` and `/sys/policies`. */
export async function readGovernance(
  client: CountersignClient,
  genesis: Genesis,
  options: { readonly local?: boolean } = {},
): Promise<Governance> {
  const read = { local: options.local === true }
  const [people, ...others] = await Promise.all(
    ['/sys/people/', '/sys/keys/', '/sys/groups/', '/sys/policies/'].map((prefix) =>
      client.list(prefix, read),
    ),
  )
  const entries = [...(people?.value ?? []), ...others.flatMap(({ value }) => value)]
  const decoded = decodeDocuments(entries.flatMap(putOf))
  if (decoded.kind === 'refused') throw CountersignError.fromRefusal(decoded.refusal)
  // Genesis gives the floor and the nodes; what it says of people may have been replaced since.
  const empty = governedBy({ ...genesis, people: [], keys: [], groups: [], policies: [] })
  const governed = overlay(empty, decoded.documents)
  return {
    people: [...governed.people()],
    keys: [...governed.keys()],
    standings: new Map(entries.flatMap(standingOf)),
    groups: [...governed.groups()],
    governed,
    revision: people?.revision ?? 0,
  }
}

function standingOf({ path, key }: EntryView): [string, KeyStanding][] {
  return key === undefined ? [] : [[path.slice('/sys/keys/'.length), key]]
}

function putOf({ path, content }: EntryView): Op[] {
  return content.kind === 'value' ? [{ action: 'put', path, value: content.value }] : []
}
