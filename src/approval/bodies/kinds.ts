/** The kind of a change follows from its paths; what stands at a system path follows from it too. */
import { refusal, type Refusal } from '../../errors.js'
import { isSystemPath } from '../forms/path.js'
import { isHex, isId } from '../forms/text.js'
import type { ChangeKind, Hex32, Id, Path } from '../types.js'
import { above, laterKind } from './features.js'

/** What a path under `/sys/` holds. */
export type SystemPlace =
  | { readonly kind: 'policy'; readonly name: Id }
  | { readonly kind: 'person'; readonly id: Id }
  | { readonly kind: 'key'; readonly keyId: Hex32 }
  | { readonly kind: 'group'; readonly name: Id }
  | { readonly kind: 'freeze'; readonly id: Id }
  | { readonly kind: 'schema'; readonly name: Id }
  | { readonly kind: 'node'; readonly id: Id }
  | { readonly kind: 'cluster'; readonly field: string }
  | { readonly kind: 'signal'; readonly name: Id }
  | { readonly kind: 'service'; readonly name: Id }

const clusterFields = ['featureLevel', 'cosignQuorum', 'automation', 'autopilot']

/** Null for a path outside `/sys/`, and for one under it that belongs to nothing. */
export function systemPlace(path: Path): SystemPlace | null {
  const [, sys, family, name, ...more] = path.split('/')
  if (sys !== 'sys' || family === undefined || name === undefined || more.length > 0) return null
  if (family === 'keys') return isHex(name, 32) ? { kind: 'key', keyId: name } : null
  if (family === 'cluster') {
    return clusterFields.includes(name) ? { kind: 'cluster', field: name } : null
  }
  if (!isId(name)) return null
  switch (family) {
    case 'policies':
      return { kind: 'policy', name }
    case 'people':
      return { kind: 'person', id: name }
    case 'groups':
      return { kind: 'group', name }
    case 'freezes':
      return { kind: 'freeze', id: name }
    case 'schemas':
      return { kind: 'schema', name }
    case 'nodes':
      return { kind: 'node', id: name }
    case 'signals':
      return { kind: 'signal', name }
    case 'services':
      return { kind: 'service', name }
    default:
      return null
  }
}

const kindOfPlace: Readonly<Record<SystemPlace['kind'], ChangeKind>> = {
  policy: 'policy',
  signal: 'policy',
  service: 'policy',
  person: 'identity',
  key: 'identity',
  group: 'identity',
  freeze: 'freeze',
  schema: 'schema',
  node: 'node',
  cluster: 'node',
}

/** Null for a path under `/sys` that belongs to no kind. */
export function kindOfPath(path: Path): ChangeKind | null {
  if (!isSystemPath(path)) return 'config'
  const place = systemPlace(path)
  return place === null ? null : kindOfPlace[place.kind]
}

/** KIND_MISMATCH unless every path belongs to the kind; FEATURE_LEVEL for what comes later. */
export function judgeKind(kind: ChangeKind, paths: readonly Path[], level: number): Refusal | null {
  const later = laterKind(kind, level)
  if (later !== null) return later
  for (const path of paths) {
    const found = kindOfPath(path)
    // A rollback follows its target's paths, an emergency stays outside /sys/.
    const fits =
      kind === 'rollback' ? found !== null : found === (kind === 'emergency' ? 'config' : kind)
    if (!fits) {
      const where = found === null ? 'no kind' : `kind ${found}`
      return refusal(
        'KIND_MISMATCH',
        `${path} belongs to ${where}, the change is of kind ${kind}`,
        {
          path,
          kind,
          ...(found === null ? {} : { found }),
        },
      )
    }
    const laterPath = judgePathLevel(path, level)
    if (laterPath !== null) return laterPath
  }
  return null
}

/** `/sys/cluster/featureLevel` is the one path of kind `node` that level 1 accepts; `/sys/nodes/` comes with level 2. */
function judgePathLevel(path: Path, level: number): Refusal | null {
  const place = systemPlace(path)
  switch (place?.kind) {
    case 'signal':
    case 'service':
      return above(path, 5, level)
    case 'schema':
      return above(path, 4, level)
    case 'node':
      return above(path, 2, level)
    case 'cluster':
      return place.field === 'featureLevel'
        ? null
        : above(path, clusterFieldLevel(place.field), level)
    default:
      return null
  }
}

function clusterFieldLevel(field: string): number {
  return field === 'cosignQuorum' ? 3 : 5
}
