/** What a snapshot stands for, to its wire form and back. */
import type { Configuration, SnapshotMeta } from '../raft/index.js'
import { configurationIdsMax, wordLengthMax } from './limits.js'
import { type countersign, malformed, safeInteger } from './protobuf.js'
import { indexFromWire, nodeIdFromWire, termFromWire } from './raft-values.js'

type WireMeta = countersign.peer.v1.SnapshotMeta.$Properties
type WireConfiguration = countersign.peer.v1.Configuration.$Properties
type WireInfo = countersign.peer.v1.SnapshotInfo.$Properties

/** A snapshot as its owner describes it to a peer. */
export interface SnapshotDescription extends SnapshotMeta {
  readonly clusterId: string
  /** Chain value of the Raft log at `index`, hex. */
  readonly chain: string
  readonly stateDigest: string
  /** Bytes of the whole file, and their SHA-256, hex. */
  readonly size: number
  readonly digest: string
}

export function metaToWire(meta: SnapshotMeta): WireMeta {
  const { index, term, configuration, configurationIndex } = meta
  return { index, term, configuration: configurationToWire(configuration), configurationIndex }
}

export function metaFromWire(wire: WireMeta | null | undefined): SnapshotMeta {
  if (!wire?.configuration) throw malformed('The snapshot has no configuration')
  return {
    index: indexFromWire(wire.index, 'snapshot.index'),
    term: termFromWire(wire.term, 'snapshot.term'),
    configuration: configurationFromWire(wire.configuration),
    configurationIndex: indexFromWire(wire.configurationIndex, 'snapshot.configurationIndex'),
  }
}

export function descriptionToWire(info: SnapshotDescription): WireInfo {
  const { clusterId, chain, stateDigest, size, digest } = info
  return { meta: metaToWire(info), clusterId, chain, stateDigest, size, digest }
}

export function descriptionFromWire(wire: WireInfo): SnapshotDescription {
  return {
    ...metaFromWire(wire.meta),
    clusterId: word(wire.clusterId, 'clusterId'),
    chain: word(wire.chain, 'chain'),
    stateDigest: word(wire.stateDigest, 'stateDigest'),
    size: safeInteger(wire.size, 'snapshot.size'),
    digest: word(wire.digest, 'digest'),
  }
}

function configurationToWire(configuration: Configuration): WireConfiguration {
  const { voters, outgoing, learners, target } = configuration
  return {
    voters: [...voters],
    outgoing: [...outgoing],
    learners: [...learners],
    ...(target === null ? {} : { target: { ids: [...target] } }),
  }
}

function configurationFromWire(wire: WireConfiguration): Configuration {
  return {
    voters: nodeIds(wire.voters, 'voters'),
    outgoing: nodeIds(wire.outgoing, 'outgoing'),
    learners: nodeIds(wire.learners, 'learners'),
    target: wire.target ? nodeIds(wire.target.ids, 'target') : null,
  }
}

function nodeIds(wire: readonly string[] | null | undefined, field: string): readonly string[] {
  const ids = (wire ?? []).map((id) => nodeIdFromWire(id, field))
  if (ids.length > configurationIdsMax) throw malformed(`configuration.${field} is too long`)
  const isSorted = ids.every((id, at) => at === 0 || (ids[at - 1] ?? '') < id)
  if (!isSorted) throw malformed(`configuration.${field} is not in order`)
  return ids
}

function word(value: string | null | undefined, field: string): string {
  const text = value ?? ''
  if (text.length > wordLengthMax) throw malformed(`snapshot.${field} is too long`)
  return text
}
