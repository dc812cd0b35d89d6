/** Serves the wish for another leader: the certificate of a present member first, then the core. */
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { LeaderKnown } from '../node/ports.js'
import type { NodeId } from '../raft/index.js'
import { decodeTransferRequest, encodeTransferAnswer } from '../wire/index.js'
import { refusalStatus } from './client.js'
import { certificateNames, ownHello } from './hello.js'
import type { PeersOptions } from './options.js'
import type { Roster } from './roster.js'

export type TransferCall = ServerUnaryCall<Uint8Array, Uint8Array>
export type TransferReply = sendUnaryData<Uint8Array>

export interface TransferServiceParts {
  readonly options: PeersOptions
  readonly roster: Roster
  readonly transfer: (to: NodeId | null) => Promise<LeaderKnown>
  /** The caller has proved who it is. */
  readonly identified: () => void
}

/** Resolves when the call is answered; says why it was refused, or null. */
export async function serveTransfer(
  call: TransferCall,
  reply: TransferReply,
  parts: TransferServiceParts,
): Promise<CountersignError | null> {
  try {
    const { hello, to } = decodeTransferRequest(call.request)
    const names = certificateNames(call.getAuthContext().sslPeerCertificate?.subjectaltname)
    const identified = parts.roster.identifyMember({ hello, certificateNames: names })
    if (identified.kind === 'refused') throw identified.error
    parts.identified()
    const known = await parts.transfer(to)
    reply(null, encodeTransferAnswer({ ...known, hello: ownHello(parts.options) }))
    return null
  } catch (thrown) {
    const error = CountersignError.from(thrown)
    reply(refusalStatus(error))
    return error
  }
}
