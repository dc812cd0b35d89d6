import type { MessageFilter, MessageKind } from '../world/wire.js'
import type { Words } from './words.js'

export const messageKinds = [
  'preVote',
  'preVoteReply',
  'vote',
  'voteReply',
  'append',
  'appendReply',
  'heartbeat',
  'heartbeatReply',
  'timeoutNow',
  'snapshotOffer',
] as const satisfies readonly MessageKind[]

/** `1->2`, `*->2 append`: a link, and a kind of message when one is named. */
export function filterOf(words: Words): MessageFilter {
  const link = words.link()
  const kind = messageKinds.find((known) => known === words.peek()) ?? null
  if (kind !== null) words.expect(kind)
  return { link, kind }
}
