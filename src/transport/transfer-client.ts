/** Asks a node to hand leadership over, with the certificate of a member. */
import type { ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodeId } from '../raft/index.js'
import {
  decodeTransferAnswer,
  encodeTransferRequest,
  transferPath,
  type TransferOutcome,
} from '../wire/index.js'
import { asBuffer, asBytes, openClient, refusalOf } from './client.js'
import { ownHello } from './hello.js'
import { defaultTiming, type Speaker } from './options.js'
import { parseAddress } from './probe.js'

/**
 * TLS proves that the node which answers holds the certificate of `peer.id`. Throws UNREACHABLE,
 * PEER_REFUSED, NODE_REMOVED, NODE_STARTING, NODE_STOPPING, INPUT_INVALID, TRANSFER_FAILED.
 */
export async function askForTransfer(
  speaker: Speaker,
  peer: { readonly id: NodeId; readonly address: string },
  to: NodeId | null,
  deadlineMs: number,
): Promise<TransferOutcome> {
  const address = parseAddress(peer.address)
  if (address === null) throw new CountersignError('UNREACHABLE', `${peer.id} has no address.`)
  const client = openClient(speaker, defaultTiming, peer, address)
  const request = encodeTransferRequest({ hello: ownHello(speaker), to })
  try {
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      const deadline = Date.now() + deadlineMs
      const answered = (error: ServiceError | null, bytes?: Uint8Array): void => {
        if (error !== null) reject(refusalOf(error))
        else resolve(bytes ?? new Uint8Array())
      }
      client.makeUnaryRequest(transferPath, asBuffer, asBytes, request, { deadline }, answered)
    })
    const outcome = decodeTransferAnswer(answer)
    const { clusterId, nodeId } = outcome.hello
    if (clusterId === speaker.clusterId && nodeId === peer.id) return outcome
    throw new CountersignError('PEER_REFUSED', `${peer.address} is another node than ${peer.id}.`)
  } finally {
    client.close()
  }
}
