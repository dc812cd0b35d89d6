/**
 * What approval judges by, behind one read-only interface: the machine answers it from its state,
 * and {@link overlay} from a state in which a change had already been activated. So the same code
 * judges now and after.
 *
 * Documents handed out are never changed in place; what is derived from one is remembered by it.
 */
import type { GovernedDocument } from './documents/decode-document.js'
import { compareCodeUnits } from '../signing/index.js'
import { nodeKeyFields } from './documents/node.js'
import type {
  Genesis,
  GenesisNode,
  Group,
  Hex32,
  Id,
  Person,
  PersonKey,
  PolicyDocument,
} from './types.js'

export interface NamedPolicy {
  readonly name: Id
  readonly document: PolicyDocument
}

export interface Governed {
  person(id: Id): Person | undefined
  key(keyId: Hex32): PersonKey | undefined
  group(name: Id): Group | undefined
  policy(name: Id): PolicyDocument | undefined
  node(id: Id): GenesisNode | undefined
  /** Any order; approval sorts where order shows. */
  people(): Iterable<Person>
  keys(): Iterable<PersonKey>
  groups(): Iterable<Group>
  policies(): Iterable<NamedPolicy>
  nodes(): Iterable<GenesisNode>
  /** Whether a node holds this SPKI (base64) as one of its keys. */
  isNodeKey(publicKey: string): boolean
}

/** What genesis puts in force. */
export function governedBy(genesis: Genesis): Governed {
  return fromMaps({
    people: new Map(genesis.people.map((one) => [one.id, one])),
    keys: new Map(genesis.keys.map((one) => [one.keyId, one])),
    groups: new Map(genesis.groups.map((one) => [one.name, one])),
    policies: new Map(genesis.policies.map((one) => [one.name, one.document])),
    nodes: new Map(genesis.nodes.map((one) => [one.id, one])),
  })
}

interface Maps {
  readonly people: ReadonlyMap<Id, Person>
  readonly keys: ReadonlyMap<Hex32, PersonKey>
  readonly groups: ReadonlyMap<Id, Group>
  readonly policies: ReadonlyMap<Id, PolicyDocument>
  readonly nodes: ReadonlyMap<Id, GenesisNode>
}

function fromMaps(maps: Maps): Governed {
  return {
    person: (id) => maps.people.get(id),
    key: (keyId) => maps.keys.get(keyId),
    group: (name) => maps.groups.get(name),
    policy: (name) => maps.policies.get(name),
    node: (id) => maps.nodes.get(id),
    people: () => maps.people.values(),
    keys: () => maps.keys.values(),
    groups: () => maps.groups.values(),
    policies: () => [...maps.policies].map(([name, document]) => ({ name, document })),
    nodes: () => maps.nodes.values(),
    isNodeKey: (publicKey) => holdsKey(maps.nodes.values(), publicKey),
  }
}

/** The state in which the documents had been written (`deleted` ones: taken away). */
export function overlay(before: Governed, documents: readonly GovernedDocument[]): Governed {
  const people = new Map([...before.people()].map((one) => [one.id, one]))
  const keys = new Map([...before.keys()].map((one) => [one.keyId, one]))
  const groups = new Map([...before.groups()].map((one) => [one.name, one]))
  const policies = new Map([...before.policies()].map((one) => [one.name, one.document]))
  const nodes = new Map([...before.nodes()].map((one) => [one.id, one]))
  for (const document of documents) {
    switch (document.kind) {
      case 'person':
        people.set(document.person.id, document.person)
        break
      case 'key':
        keys.set(document.key.keyId, document.key)
        break
      case 'group':
        if (document.group === 'deleted') groups.delete(document.name)
        else groups.set(document.name, document.group)
        break
      case 'policy':
        if (document.policy === 'deleted') policies.delete(document.name)
        else policies.set(document.name, document.policy)
        break
      case 'node':
        if (document.node === 'deleted') nodes.delete(document.id)
        else nodes.set(document.id, document.node)
        break
      case 'freeze':
      case 'featureLevel':
        break
    }
  }
  return fromMaps({ people, keys, groups, policies, nodes })
}

/** Whether one of the nodes holds this SPKI (base64). */
export function holdsKey(nodes: Iterable<GenesisNode>, publicKey: string): boolean {
  for (const node of nodes)
    if (nodeKeyFields.some((field) => node[field] === publicKey)) return true
  return false
}

/** Active humans with an `approve` key that is not revoked: who can fill a seat, now or soon. */
export function possibleApprovers(governed: Governed): ReadonlySet<Id> {
  return activeHumansWith(governed, 'approve')
}

/** Active humans with a `propose` key that is not revoked. */
export function possibleAuthors(governed: Governed): ReadonlySet<Id> {
  return activeHumansWith(governed, 'propose')
}

function activeHumansWith(governed: Governed, use: 'approve' | 'propose'): ReadonlySet<Id> {
  const holders = new Set<Id>()
  for (const key of governed.keys()) {
    if (key.status !== 'active' || !key.uses.includes(use)) continue
    if (isActiveHuman(governed.person(key.person))) holders.add(key.person)
  }
  return holders
}

export function isActiveHuman(person: Person | undefined): person is Person {
  return person?.kind === 'human' && person.status === 'active'
}

const memberSets = new WeakMap<Group, ReadonlySet<Id>>()

/** Judged live; an unknown group has no members. */
export function isMember(governed: Governed, group: Id, person: Id): boolean {
  return membersOf(governed, group).has(person)
}

export function membersOf(governed: Governed, name: Id): ReadonlySet<Id> {
  const group = governed.group(name)
  if (group === undefined) return noMembers
  let members = memberSets.get(group)
  if (members === undefined) memberSets.set(group, (members = new Set(group.members)))
  return members
}

const noMembers: ReadonlySet<Id> = new Set()

export function sortedIds(ids: Iterable<Id>): Id[] {
  return [...ids].sort(compareCodeUnits)
}
