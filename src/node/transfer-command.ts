/**
 * `countersign transfer`: says to the leader, with the certificate of a node, that another one
 * shall lead. Asks this node first and follows the hints; a node that is down is passed over.
 */
import { featureLevelMax } from '../approval/index.js'
import type { NodeConfig } from '../config/index.js'
import { CountersignError } from '../errors.js'
import type { TransferOutcome } from '../wire/index.js'
import { findSelf, knownMembers } from './identity.js'
import { readGenesis, readTls } from './own-files.js'

/** A node that is asked, at its peer port. */
export interface Asked {
  readonly id: string
  readonly address: string
}

export interface TransferResult {
  readonly leader: string
  readonly term: number
  /** The node that was asked while it led. */
  readonly before: string
}

/** Leadership may move while it is asked for; more hops than this are no accident. */
const hopsMax = 8

/**
 * Throws what the nodes refuse with, NOT_LEADER when nobody leads, TRANSFER_FAILED when another node leads
 * than the one that was asked for, UNREACHABLE when nobody answers.
 */
export async function transferBy(
  config: NodeConfig,
  to: string | null,
  ask: (peer: Asked, to: string | null) => Promise<TransferOutcome>,
): Promise<TransferResult> {
  const { genesis } = await readGenesis(config.genesisFile)
  const known = knownMembers(genesis, config)
  const self = known.filter(({ id }) => id === config.nodeId)
  const waiting: Asked[] = [...self, ...known.filter(({ id }) => id !== config.nodeId)]
  let last: CountersignError | null = null
  for (let hop = 0; hop < known.length + hopsMax; hop += 1) {
    const peer = waiting.shift()
    if (peer === undefined) break
    try {
      const { asked, leader, term, address } = await ask(peer, to)
      if (asked && leader !== null) return resultOf({ leader, term, before: peer.id }, to)
      if (leader !== null && address !== null) waiting.unshift({ id: leader, address })
      last = notLed(peer.id)
    } catch (thrown) {
      const error = CountersignError.from(thrown)
      if (!isOfTheMoment(error)) throw error
      last = error
    }
  }
  throw last ?? notLed(config.nodeId)
}

/** Another node may answer where this one could not. */
function isOfTheMoment({ code }: CountersignError): boolean {
  return code === 'UNREACHABLE' || code === 'NODE_STARTING' || code === 'NODE_STOPPING'
}

function resultOf(result: TransferResult, to: string | null): TransferResult {
  if (to === null || result.leader === to) return result
  throw new CountersignError(
    'TRANSFER_FAILED',
    `${result.leader} leads now, not ${to}. Look at \`countersign status\` and try again.`,
    { details: { ...result } },
  )
}

function notLed(id: string): CountersignError {
  return new CountersignError(
    'NOT_LEADER',
    `${id} does not lead, and no leader is known now. Try again in a moment.`,
  )
}

/** What the transport has to know to speak as the node of this configuration. */
export interface Speaker {
  readonly clusterId: string
  readonly nodeId: string
  readonly incarnation: string
  readonly featureLevelMax: number
  readonly clientAddress: string
  /** PEM. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string }
}

export async function speakerOf(config: NodeConfig): Promise<Speaker> {
  const { genesis, clusterId } = await readGenesis(config.genesisFile)
  const { id: nodeId, incarnation } = findSelf(genesis, config)
  const tls = await readTls(config)
  return {
    clusterId,
    nodeId,
    incarnation,
    featureLevelMax,
    clientAddress: config.advertise.client,
    tls: { ca: tls.ca, certificate: tls.certificate, key: tls.key },
  }
}
