/** The founding document: the example's, or one made from a file that people wrote. */
import {
  featureLevelMax,
  type Genesis,
  type GenesisNode,
  type Group,
  type Person,
  type PersonKey,
  type PolicyDocument,
} from '../../approval/index.js'
import { compareCodeUnits } from '../../signing/index.js'

/** What people decide about a founding; init adds nodes, time and what has a default. */
export interface Founding {
  readonly name: string
  readonly people: readonly Person[]
  readonly keys: readonly PersonKey[]
  readonly groups: readonly Group[]
  readonly policies: readonly { readonly name: string; readonly document: PolicyDocument }[]
  readonly floor: {
    readonly config: number
    readonly sys: number
    readonly lowRisk: readonly string[]
  }
  readonly coolOff?: string
  readonly riskTimeout?: string
  readonly agreementWindow?: string
  readonly defaults?: { readonly open: string; readonly use: string }
  readonly lifeMax?: string
  readonly limits?: Genesis['limits']
}

export function makeGenesis(
  founding: Founding,
  nodes: readonly GenesisNode[],
  createdAt: number,
): Genesis {
  return {
    format: 1,
    name: founding.name,
    createdAt,
    featureLevel: featureLevelMax,
    people: sortedBy(founding.people, (person) => person.id),
    keys: sortedBy(founding.keys, (key) => key.keyId),
    groups: sortedBy(founding.groups, (group) => group.name),
    policies: sortedBy(founding.policies, (policy) => policy.name),
    schemas: [],
    nodes: sortedBy(nodes, (node) => node.id),
    floor: founding.floor,
    coolOff: founding.coolOff ?? '24h',
    riskTimeout: founding.riskTimeout ?? '2m',
    agreementWindow: founding.agreementWindow ?? '60s',
    defaults: founding.defaults ?? { open: '72h', use: '8h' },
    lifeMax: founding.lifeMax ?? '30d',
    limits: founding.limits ?? {
      openChanges: 1000,
      openChangesPerPerson: 100,
      revisionsPerChange: 16,
    },
  }
}

/**
 * A toy: three people who approve for each other and an agent that alice answers for. No cool-off,
 * so that a fourth person can be added and approve a minute later.
 */
export function exampleFounding(keys: readonly PersonKey[]): Founding {
  return {
    name: 'example',
    people: [
      { id: 'alice', kind: 'human', displayName: 'Alice', status: 'active' },
      { id: 'bob', kind: 'human', displayName: 'Bob', status: 'active' },
      { id: 'carol', kind: 'human', displayName: 'Carol', status: 'active' },
      {
        id: 'agent',
        kind: 'agent',
        displayName: "Alice's agent",
        status: 'active',
        sponsor: 'alice',
        scope: ['/prod/**'],
        quota: { open: 10, perDay: 100 },
      },
    ],
    keys,
    groups: [
      { name: 'operators', purpose: 'Run the platform', members: ['alice', 'bob', 'carol'] },
    ],
    policies: [
      {
        name: 'prod',
        document: {
          format: 1,
          rules: [
            {
              id: 'prod-default',
              paths: ['/prod/**'],
              propose: { groups: ['operators'], agents: 'sponsored' },
              need: [{ count: 2, group: 'operators' }],
            },
          ],
        },
      },
      {
        name: 'governance',
        document: {
          format: 1,
          rules: [
            {
              id: 'governance',
              paths: ['/sys/**'],
              propose: { groups: ['operators'] },
              need: [{ count: 2, group: 'operators' }],
            },
          ],
        },
      },
    ],
    floor: { config: 2, sys: 2, lowRisk: [] },
    coolOff: '0s',
  }
}

export const examplePeople: readonly { readonly id: string; readonly uses: PersonKey['uses'] }[] = [
  { id: 'alice', uses: ['approve', 'propose'] },
  { id: 'bob', uses: ['approve', 'propose'] },
  { id: 'carol', uses: ['approve', 'propose'] },
  { id: 'agent', uses: ['propose'] },
]

function sortedBy<T>(items: readonly T[], name: (item: T) => string): T[] {
  return [...items].sort((a, b) => compareCodeUnits(name(a), name(b)))
}
