import type {
  Freeze,
  GenesisNode,
  Governed,
  Group,
  Hex32,
  Id,
  NamedPolicy,
  Path,
  Person,
  PersonKey,
  PolicyDocument,
} from '../approval/index.js'
import { holdsKey } from '../approval/index.js'
import { invariant } from '../invariant.js'
import { decodePublicKey } from '../signing/index.js'
import type { Json } from '../signing/index.js'
import { featureLevelPath } from './features.js'
import type { EntryRow, KeyRow } from './records.js'
import type { Table } from './table.js'

/**
 * The governed documents under `/sys/`, typed and by name. They were decoded and judged before
 * they were written, so they are taken as they stand.
 */
export class GovernanceIndex implements Governed {
  readonly freezes = new Map<Id, Freeze>()
  /** Keys whose `registeredAt` is taken from the next Tick. */
  readonly waitingKeys = new Set<Hex32>()
  featureLevel = 0
  /** Grows with each write of a policy; never goes back, so what it labels can be cached. */
  policiesVersion = 0
  /** Grows with each write of a node document, in the same way. */
  nodesVersion = 0
  /** Names of the last written policies, the newest last. */
  private recentPolicies: Id[] = []
  private readonly peopleById = new Map<Id, Person>()
  private readonly keysById = new Map<Hex32, PersonKey>()
  private readonly groupsByName = new Map<Id, Group>()
  private readonly policiesByName = new Map<Id, PolicyDocument>()
  private readonly nodesById = new Map<Id, GenesisNode>()
  private readonly keysByPerson = new Map<Id, Set<Hex32>>()
  private readonly publicKeys = new Map<Hex32, Uint8Array>()

  constructor(entries: Table<EntryRow>, keyStates: Table<KeyRow>) {
    entries.listen((path, _before, after) => {
      if (path.startsWith('/sys/')) this.take(path, after)
    })
    keyStates.listen((keyId, _before, after) => {
      if (after !== undefined && after.registeredAt === undefined) this.waitingKeys.add(keyId)
      else this.waitingKeys.delete(keyId)
    })
  }

  keysOf(person: Id): ReadonlySet<Hex32> {
    return this.keysByPerson.get(person) ?? nothing
  }

  person(id: Id): Person | undefined {
    return this.peopleById.get(id)
  }

  key(keyId: Hex32): PersonKey | undefined {
    return this.keysById.get(keyId)
  }

  group(name: Id): Group | undefined {
    return this.groupsByName.get(name)
  }

  policy(name: Id): PolicyDocument | undefined {
    return this.policiesByName.get(name)
  }

  node(id: Id): GenesisNode | undefined {
    return this.nodesById.get(id)
  }

  people(): Iterable<Person> {
    return this.peopleById.values()
  }

  keys(): Iterable<PersonKey> {
    return this.keysById.values()
  }

  groups(): Iterable<Group> {
    return this.groupsByName.values()
  }

  *policies(): Iterable<NamedPolicy> {
    for (const [name, document] of this.policiesByName) yield { name, document }
  }

  nodes(): Iterable<GenesisNode> {
    return this.nodesById.values()
  }

  /**
   * Policies written after `version` of {@link policiesVersion}, once each, put back ones among
   * them; undefined: too long ago to say.
   */
  policiesWrittenSince(version: number): ReadonlySet<Id> | undefined {
    const count = this.policiesVersion - version
    if (count > this.recentPolicies.length) return undefined
    return new Set(this.recentPolicies.slice(this.recentPolicies.length - count))
  }

  isNodeKey(publicKey: string): boolean {
    return holdsKey(this.nodesById.values(), publicKey)
  }

  /** Raw Ed25519 key; decoded once. */
  publicKey(keyId: Hex32): Uint8Array {
    const known = this.publicKeys.get(keyId)
    if (known !== undefined) return known
    const key = this.keysById.get(keyId)
    invariant(key !== undefined, 'The public key of an unknown key is asked for.', { keyId })
    const decoded = decodePublicKey(key.publicKey)
    invariant(decoded.kind === 'ok', 'A registered public key cannot be decoded.', { keyId })
    this.publicKeys.set(keyId, decoded.publicKey)
    return decoded.publicKey
  }

  private take(path: Path, row: EntryRow | undefined): void {
    if (path === featureLevelPath) {
      this.featureLevel = row === undefined ? 0 : (valueOf(row) as number)
      return
    }
    const name = path.slice(path.lastIndexOf('/') + 1)
    const document = row === undefined ? undefined : valueOf(row)
    switch (path.slice(0, path.lastIndexOf('/') + 1)) {
      case '/sys/people/':
        return replace(this.peopleById, name, document)
      case '/sys/keys/':
        return this.takeKey(name, document as unknown as PersonKey | undefined)
      case '/sys/groups/':
        return replace(this.groupsByName, name, document)
      case '/sys/policies/':
        this.notePolicy(name)
        return replace(this.policiesByName, name, document)
      case '/sys/freezes/':
        return replace(this.freezes, name, document)
      case '/sys/nodes/':
        this.nodesVersion++
        return replace(this.nodesById, name, document)
    }
  }

  private notePolicy(name: Id): void {
    this.policiesVersion++
    this.recentPolicies.push(name)
    if (this.recentPolicies.length > 2 * recentPoliciesKept) {
      this.recentPolicies = this.recentPolicies.slice(-recentPoliciesKept)
    }
  }

  private takeKey(keyId: Hex32, key: PersonKey | undefined): void {
    const before = this.keysById.get(keyId)
    if (before !== undefined) this.keysByPerson.get(before.person)?.delete(keyId)
    replace(this.keysById, keyId, key)
    if (key === undefined) {
      this.publicKeys.delete(keyId)
      return
    }
    const keys = this.keysByPerson.get(key.person)
    if (keys === undefined) this.keysByPerson.set(key.person, new Set([keyId]))
    else keys.add(keyId)
  }
}

/** Who looks less often than this matches all policies again. */
const recentPoliciesKept = 256

const nothing: ReadonlySet<string> = new Set()

function valueOf(row: EntryRow): Json {
  invariant(row.content.kind === 'value', 'A governed document is not a plain value.', {
    path: row.path,
  })
  return row.content.value
}

function replace<Value>(map: Map<string, Value>, name: string, value: unknown): void {
  if (value === undefined) map.delete(name)
  else map.set(name, value as Value)
}
