/**
 * Genesis: the first state, whose hash is the cluster id. It is judged like the after-state of a
 * change, by `init` and by every node, so no cluster begins in a state that it could not leave.
 */
import { refusal, type Refusal } from '../errors.js'
import {
  compareCodeUnits,
  decodeCanonical,
  decodePublicKey,
  messageDigest,
  payloadType,
  type Json,
} from '../signing/index.js'
import { featureLevelMax } from './bodies/features.js'
import { group, judgeUses, key, person } from './documents/identity.js'
import { foundingNode, node, nodeKeyFields } from './documents/node.js'
import { decodePolicy } from './documents/policy.js'
import { duration, durationMs } from './forms/duration.js'
import { glob } from './forms/glob.js'
import {
  by,
  integer,
  invalid,
  listOf,
  object,
  required,
  setOf,
  setOfStrings,
  type Check,
} from './forms/shape.js'
import { anyJson, id, isId } from './forms/text.js'
import { governedBy } from './governed.js'
import { limits } from './limits.js'
import { judgeAfterState } from './rules/satisfiable.js'
import type { Genesis, Hex32 } from './types.js'

export type DecodedGenesis =
  | { readonly kind: 'ok'; readonly genesis: Genesis; readonly clusterId: Hex32 }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** GENESIS_INVALID with the field or rule; VERSION_UNKNOWN when it asks for a newer build. */
export function decodeGenesis(bytes: Uint8Array): DecodedGenesis {
  if (bytes.length > limits.genesisBytesMax) {
    return refused(`has more than ${limits.genesisBytesMax} bytes`)
  }
  const decoded = decodeCanonical(bytes)
  if (decoded.kind === 'refused') return refused(decoded.refusal.message)
  const shape = genesisDocument(decoded.value, '')
  if (shape !== null) return refused(shape.message, shape)
  const genesis = decoded.value as unknown as Genesis
  const level = judgeLevel(genesis)
  if (level !== null) return { kind: 'refused', refusal: level }
  const fault = judgeKeys(genesis) ?? judgeMembers(genesis) ?? judgeTimes(genesis)
  if (fault !== null) return refused(fault)
  const after = judgeAfterState(governedBy(genesis), genesis.floor, 'genesis', genesis.featureLevel)
  if (after !== null) return refused(after.message, after)
  return { kind: 'ok', genesis, clusterId: clusterIdOf(bytes) }
}

/** SHA-256 of the PAE of the exact bytes, under the type `genesis`. */
export function clusterIdOf(bytes: Uint8Array): Hex32 {
  return messageDigest(payloadType('genesis'), bytes)
}

const policyOf: Check = (value) => {
  const decoded = decodePolicy(value)
  return decoded.kind === 'ok' ? null : decoded.refusal
}

const namedPolicy = object<Genesis['policies'][number]>({
  name: required(id),
  document: required(policyOf),
})

const clusterName: Check = (value, at) =>
  typeof value === 'string' && value.length <= 253 && value.split('.').every(isId)
    ? null
    : invalid(at, 'must be an id or a DNS name in lower case')

const floorNumber = integer({ min: 2, max: limits.floorMax })

const genesisDocument = object<Genesis>({
  format: required(integer({ min: 1, max: 1 })),
  name: required(clusterName),
  createdAt: required(integer()),
  featureLevel: required(integer({ min: 1 })),
  people: required(setOf(person, by('id'), { min: 1, max: limits.peopleInGenesisMax })),
  keys: required(setOf(key, by('keyId'), { min: 1, max: limits.peopleInGenesisMax })),
  groups: required(setOf(group, by('name'), { max: limits.rulesInClusterMax })),
  policies: required(
    setOf(namedPolicy, by('name'), {
      min: 1,
      max: limits.rulesInClusterMax,
    }),
  ),
  schemas: required(listOf(anyJson, { max: limits.rulesInClusterMax })),
  nodes: required(setOf(foundingNode, by('id'), { min: 1, max: limits.nodesMax })),
  floor: required(
    object<Genesis['floor']>({
      config: required(floorNumber),
      sys: required(floorNumber),
      lowRisk: required(setOfStrings(glob, { max: limits.globsPerRuleMax })),
    }),
  ),
  coolOff: required(duration),
  riskTimeout: required(duration),
  agreementWindow: required(duration),
  defaults: required(
    object<Genesis['defaults']>({ open: required(duration), use: required(duration) }),
  ),
  lifeMax: required(duration),
  limits: required(
    object<Genesis['limits']>({
      openChanges: required(integer({ min: 1, max: limits.openChangesMax })),
      openChangesPerPerson: required(integer({ min: 1, max: limits.openChangesPerPersonMax })),
      revisionsPerChange: required(integer({ min: 1, max: limits.revisionsPerChangeMax })),
    }),
  ),
})

function judgeLevel(genesis: Genesis): Refusal | null {
  if (genesis.featureLevel > featureLevelMax) {
    const message = `genesis asks for feature level ${genesis.featureLevel}, this build knows ${featureLevelMax}`
    return refusal('VERSION_UNKNOWN', message, {
      needed: genesis.featureLevel,
      level: featureLevelMax,
    })
  }
  if (genesis.schemas.length === 0) return null
  const message = 'genesis: schemas need feature level 4'
  return refusal('GENESIS_INVALID', message, { field: 'schemas' })
}

/** Keys of people and nodes are all different and sound; owners exist; no proof, no revoked key. */
function judgeKeys(genesis: Genesis): string | null {
  const people = new Map(genesis.people.map((one) => [one.id, one]))
  const seen = new Set<string>()
  for (const one of genesis.keys) {
    const owner = people.get(one.person)
    if (owner === undefined) return `key ${one.keyId} belongs to ${one.person}, who is unknown`
    const uses = judgeUses(one, owner, `keys ${one.keyId}`)
    if (uses !== null) return uses.message
    if (one.proof !== undefined) return `key ${one.keyId} carries a proof; a genesis key has none`
    if (one.status !== 'active') return `key ${one.keyId} is revoked from the beginning`
    seen.add(one.publicKey)
  }
  for (const one of genesis.nodes) {
    for (const field of nodeKeyFields) {
      const decoded = decodePublicKey(one[field])
      if (decoded.kind === 'refused') {
        return `node ${one.id}, ${field}: ${decoded.refusal.message}`
      }
      if (seen.has(one[field])) return `node ${one.id}, ${field}: the key is used already`
      seen.add(one[field])
    }
  }
  return judgeNodes(genesis)
}

function judgeNodes({ nodes, featureLevel }: Genesis): string | null {
  const voters = nodes.filter((one) => one.role === 'voter')
  if (voters.length === 0) return 'no node is a voter'
  if (featureLevel < 2) return null
  if (voters.length > limits.votersMax) {
    return `${voters.length} nodes are voters; at most ${limits.votersMax} may`
  }
  for (const one of nodes) {
    const fault = node(one as unknown as Json, `node ${one.id}`)
    if (fault !== null) return fault.message
  }
  return null
}

function judgeMembers(genesis: Genesis): string | null {
  const people = new Map(genesis.people.map((one) => [one.id, one]))
  for (const one of genesis.people) {
    const sponsor = one.sponsor === undefined ? undefined : people.get(one.sponsor)
    if (one.sponsor !== undefined && sponsor?.kind !== 'human') {
      return `the sponsor of ${one.id} must be a human of genesis`
    }
  }
  const detectorNodes = genesis.people.flatMap((one) => (one.node === undefined ? [] : [one.node]))
  const twice = detectorNodes
    .sort(compareCodeUnits)
    .find((name, i, sorted) => i > 0 && sorted[i - 1] === name)
  if (twice !== undefined) return `two detectors run beside node ${twice}`
  for (const one of genesis.groups) {
    const unknown = one.members.find((member) => !people.has(member))
    if (unknown !== undefined) return `group ${one.name} has the member ${unknown}, who is unknown`
  }
  return null
}

function judgeTimes(genesis: Genesis): string | null {
  for (const [name, written] of [
    ['defaults.open', genesis.defaults.open],
    ['defaults.use', genesis.defaults.use],
    ['lifeMax', genesis.lifeMax],
  ] as const) {
    if (durationMs(written) === 0) return `${name} must be longer than 0s`
  }
  // Its keys count as registered at 0; with less time behind them they could approve nothing.
  return durationMs(genesis.coolOff) > genesis.createdAt ? 'coolOff is longer than createdAt' : null
}

function refused(why: string, cause?: Refusal): DecodedGenesis {
  const message = `genesis: ${why}`
  const details = cause?.details
  return { kind: 'refused', refusal: refusal('GENESIS_INVALID', message, details) }
}
