/** One drain is one frame, unless it is too large for one: then it is cut between messages. */
import type { Message } from '../raft/index.js'
import { frameBytesTarget, frameMessagesMax } from '../wire/index.js'

export function cutFrames(messages: readonly Message[]): readonly (readonly Message[])[] {
  const frames: Message[][] = []
  let current: Message[] = []
  let bytes = 0
  for (const message of messages) {
    const size = messageBytes(message)
    const full = bytes + size > frameBytesTarget || current.length === frameMessagesMax
    if (current.length > 0 && full) {
      frames.push(current)
      current = []
      bytes = 0
    }
    current.push(message)
    bytes += size
  }
  if (current.length > 0) frames.push(current)
  return frames
}

/** An upper estimate: ids of at most 63 bytes, numbers of at most 8. */
const messageOverheadBytes = 200
const entryOverheadBytes = 32

export function messageBytes(message: Message): number {
  if (message.kind !== 'append') return messageOverheadBytes
  return message.entries.reduce(
    (sum, entry) => sum + entryOverheadBytes + entry.payload.byteLength,
    messageOverheadBytes,
  )
}
