/** The first frames of a simulated stream: both ends judge the other as the real transport does. */
import type { CountersignError } from '../../../src/errors.js'
import type { KnownMembers, PeerHello } from '../../../src/node/ports.js'
import { certificateName, identifyPeer } from '../../../src/transport/hello.js'

export interface Party {
  readonly hello: PeerHello
  readonly known: () => KnownMembers
}

export interface Refusal {
  readonly by: 'caller' | 'called'
  readonly error: CountersignError
}

/** Why no stream stands; null when one may. The accepting side is asked first. */
export function handshake(caller: Party, called: Party): Refusal | null {
  const incoming = judge(called, caller.hello, null)
  if (incoming !== null) return { by: 'called', error: incoming }
  const outgoing = judge(caller, called.hello, called.hello.nodeId)
  return outgoing === null ? null : { by: 'caller', error: outgoing }
}

/** `dialled`: whom the judging side called; null when it was called itself. */
function judge(judging: Party, hello: PeerHello, dialled: string | null): CountersignError | null {
  const { members, removed, anyone } = judging.known()
  const { clusterId } = judging.hello
  const expected = members.find(({ id }) => id === dialled) ?? null
  const identified = identifyPeer({ clusterId, peers: members, removed, anyone }, expected, {
    hello,
    certificateNames: [certificateName(hello.nodeId)],
  })
  return identified.kind === 'refused' ? identified.error : null
}
