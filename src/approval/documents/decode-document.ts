/** From an op on a path under `/sys/` to the typed document that stands there afterwards. */
import type { Refusal } from '../../errors.js'
import { depthOf, valueDepthMax, type Json } from '../../signing/index.js'
import { systemPlace, type SystemPlace } from '../bodies/kinds.js'
import { integer, invalid, type Check } from '../forms/shape.js'
import { limits } from '../limits.js'
import type {
  Freeze,
  GenesisNode,
  Group,
  Id,
  Op,
  Person,
  PersonKey,
  PolicyDocument,
} from '../types.js'
import { freeze } from './freeze.js'
import { group, key, person } from './identity.js'
import { node } from './node.js'
import { decodePolicy } from './policy.js'

export type GovernedDocument =
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'key'; readonly key: PersonKey }
  | { readonly kind: 'group'; readonly name: Id; readonly group: Group | 'deleted' }
  | { readonly kind: 'policy'; readonly name: Id; readonly policy: PolicyDocument | 'deleted' }
  | { readonly kind: 'freeze'; readonly id: Id; readonly freeze: Freeze | 'deleted' }
  | { readonly kind: 'node'; readonly id: Id; readonly node: GenesisNode | 'deleted' }
  | { readonly kind: 'featureLevel'; readonly level: number }

export type DecodedDocument =
  | { readonly kind: 'ok'; readonly document: GovernedDocument }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Of an op whose path {@link systemPlace} knows. Its form only; the state is judged elsewhere. */
export function decodeDocument(op: Op): DecodedDocument {
  const place = systemPlace(op.path)
  if (place === null) return refused(invalid(op.path, 'holds no document of the system'))
  if (op.action === 'delete') return decodeDeletion(op.path, place)
  if (!('value' in op)) {
    return refused(invalid(op.path, 'must carry its value: the system reads it'))
  }
  if (depthOf(op.value) > valueDepthMax) return refused(invalid(op.path, 'is nested too deep'))
  return decodeValue(op.path, place, op.value)
}

/** All documents of a change in the order of its ops; the first fault ends it. */
export function decodeDocuments(
  ops: readonly Op[],
):
  | { readonly kind: 'ok'; readonly documents: readonly GovernedDocument[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const documents: GovernedDocument[] = []
  for (const op of ops) {
    const decoded = decodeDocument(op)
    if (decoded.kind === 'refused') return decoded
    documents.push(decoded.document)
  }
  return { kind: 'ok', documents }
}

function decodeDeletion(path: string, place: SystemPlace): DecodedDocument {
  switch (place.kind) {
    case 'group':
      return ok({ kind: 'group', name: place.name, group: 'deleted' })
    case 'policy':
      return ok({ kind: 'policy', name: place.name, policy: 'deleted' })
    case 'freeze':
      return ok({ kind: 'freeze', id: place.id, freeze: 'deleted' })
    case 'node':
      return ok({ kind: 'node', id: place.id, node: 'deleted' })
    default:
      return refused(invalid(path, 'is never deleted; set its status instead'))
  }
}

function decodeValue(path: string, place: SystemPlace, value: Json): DecodedDocument {
  switch (place.kind) {
    case 'person': {
      const fault = person(value, path) ?? sameName(value, 'id', place.id, path)
      return decided(fault, { kind: 'person', person: value as unknown as Person })
    }
    case 'key': {
      const fault = key(value, path) ?? sameName(value, 'keyId', place.keyId, path)
      return decided(fault, { kind: 'key', key: value as unknown as PersonKey })
    }
    case 'group': {
      const fault = group(value, path) ?? sameName(value, 'name', place.name, path)
      const document = value as unknown as Group
      return decided(fault, { kind: 'group', name: place.name, group: document })
    }
    case 'policy': {
      const decoded = decodePolicy(value)
      if (decoded.kind === 'refused') return decoded
      return ok({ kind: 'policy', name: place.name, policy: decoded.policy })
    }
    case 'freeze': {
      const document = value as unknown as Freeze
      return decided(freeze(value, path), { kind: 'freeze', id: place.id, freeze: document })
    }
    case 'node': {
      const fault = node(value, path) ?? sameName(value, 'id', place.id, path)
      const document = value as unknown as GenesisNode
      return decided(fault, { kind: 'node', id: place.id, node: document })
    }
    case 'cluster':
      if (place.field === 'featureLevel') {
        const fault = featureLevel(value, path)
        return decided(fault, { kind: 'featureLevel', level: value as number })
      }
      return refused(invalid(path, 'is not used at this feature level'))
    default:
      return refused(invalid(path, 'is not used at this feature level'))
  }
}

const featureLevel: Check = integer({ min: 1, max: limits.featureLevelNumberMax })

function sameName(value: Json, field: string, expected: string, path: string): Refusal | null {
  const found = (value as Readonly<Record<string, Json>>)[field]
  return found === expected ? null : invalid(`${path}.${field}`, 'must agree with the path')
}

function decided(fault: Refusal | null, document: GovernedDocument): DecodedDocument {
  return fault === null ? ok(document) : refused(fault)
}

function ok(document: GovernedDocument): DecodedDocument {
  return { kind: 'ok', document }
}

function refused(fault: Refusal): DecodedDocument {
  return { kind: 'refused', refusal: fault }
}
