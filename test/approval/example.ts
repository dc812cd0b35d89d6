/** A small company for tests: the example genesis, and the means to bend it. */
import {
  clusterIdOf,
  decodeGenesis,
  governedBy,
  type Genesis,
  type GenesisNode,
  type Governed,
  type Group,
  type Id,
  type Person,
  type PersonKey,
  type PolicyDocument,
  type Rule,
} from '../../src/approval/index.js'
import { encodeCanonical, toBase64, type Json, type Signer } from '../../src/signing/index.js'
import { signerFromSeed } from '../../src/signing/key-file.js'

const signers = new Map<string, Signer>()

/** The same key for the same name, so that a failing case can be run again. */
export function signerOf(name: string): Signer {
  let signer = signers.get(name)
  if (signer === undefined) {
    const seed = new Uint8Array(32)
    seed.set(new TextEncoder().encode(name))
    signers.set(name, (signer = signerFromSeed(seed)))
  }
  return signer
}

export const human = (id: Id, more: Partial<Person> = {}): Person => ({
  id,
  kind: 'human',
  displayName: id,
  status: 'active',
  ...more,
})

export const agent = (id: Id, sponsor: Id, more: Partial<Person> = {}): Person => ({
  ...human(id),
  kind: 'agent',
  sponsor,
  ...more,
})

export function keyOf(person: Id, uses: PersonKey['uses'], name: string = person): PersonKey {
  const signer = signerOf(name)
  const publicKey = toBase64(signer.publicKeySpki)
  return { keyId: signer.keyId, person, algorithm: 'ed25519', publicKey, uses, status: 'active' }
}

export const group = (name: Id, ...members: readonly Id[]): Group => ({
  name,
  purpose: '',
  members: [...members].sort(),
})

export const policy = (...rules: readonly Rule[]): PolicyDocument => ({ format: 1, rules })

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : 1

export interface Company {
  readonly people?: readonly Person[]
  readonly keys?: readonly PersonKey[]
  readonly groups?: readonly Group[]
  readonly policies?: Readonly<Record<Id, PolicyDocument>>
  readonly floor?: Genesis['floor']
}

const governance: Rule = {
  id: 'governance',
  paths: ['/sys/**'],
  propose: { groups: ['operators'] },
  need: [{ count: 2, group: 'operators' }],
}

export const prod: Rule = {
  id: 'prod',
  paths: ['/prod/**'],
  propose: { groups: ['operators'], agents: 'sponsored' },
  need: [{ count: 2, group: 'operators' }],
}

export const examplePeople: readonly Person[] = [
  agent('agent', 'alice', { scope: ['/prod/**'] }),
  human('alice'),
  human('bob'),
  human('carol'),
]

export const examplePolicies = { governance: policy(governance), prod: policy(prod) }

/** alice, bob, carol and an agent, unless told otherwise; sets are put in order here. */
export function genesisOf(company: Company = {}): Genesis {
  const people = [...(company.people ?? examplePeople)].sort(byId)
  const keys =
    company.keys ??
    people.flatMap((one) => {
      if (one.kind === 'service') return [keyOf(one.id, ['detect'])]
      return [keyOf(one.id, one.kind === 'agent' ? ['propose'] : ['approve', 'propose'])]
    })
  const groups = company.groups ?? [group('operators', 'alice', 'bob', 'carol')]
  const policies: Readonly<Record<Id, PolicyDocument>> = company.policies ?? examplePolicies
  return {
    format: 1,
    name: 'example',
    createdAt: 1_700_000_000_000,
    featureLevel: 1,
    people,
    keys: [...keys].sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
    groups: [...groups].sort((a, b) => (a.name < b.name ? -1 : 1)),
    policies: Object.keys(policies)
      .sort()
      .map((name) => ({ name, document: policies[name] as PolicyDocument })),
    schemas: [],
    nodes: ['node-1', 'node-2', 'node-3'].map(nodeOf),
    floor: company.floor ?? { config: 2, sys: 2, lowRisk: [] },
    coolOff: '0s',
    riskTimeout: '2m',
    agreementWindow: '60s',
    defaults: { open: '72h', use: '8h' },
    lifeMax: '30d',
    limits: { openChanges: 1000, openChangesPerPerson: 100, revisionsPerChange: 16 },
  }
}

export function nodeOf(id: Id): GenesisNode {
  return {
    id,
    owner: 'platform',
    address: `${id}.example:7100`,
    role: 'voter',
    incarnation: '0'.repeat(32),
    nodeKey: toBase64(signerOf(`${id} node`).publicKeySpki),
    logKey: toBase64(signerOf(`${id} log`).publicKeySpki),
    cosignerKey: toBase64(signerOf(`${id} cosigner`).publicKeySpki),
  }
}

export function bytesOf(document: unknown): Uint8Array {
  return encodeCanonical(document as Json)
}

/** What the company is governed by, without judging it. */
export function governed(company: Company = {}): Governed {
  return governedBy(genesisOf(company))
}

export const clusterId = clusterIdOf(bytesOf(genesisOf()))

export function decodeCompany(company: Company): ReturnType<typeof decodeGenesis> {
  return decodeGenesis(bytesOf(genesisOf(company)))
}
