/** Limits of the consensus core under simulation: as in production, or so tight that they count. */
import type { RaftLimits } from '../../../src/raft/index.js'

const mebibyte = 1024 * 1024

export function raftLimits(tight: boolean, keptEntries: number): RaftLimits {
  const kept = { keptEntries, pinTicksMax: 200, pinnedBytesMax: mebibyte }
  return tight
    ? {
        appendBytesMax: 4096,
        inflightMessagesMax: 3,
        inflightBytesMax: 16_384,
        uncommittedBytesMax: 32_768,
        applyingBytesMax: 2048,
        ...kept,
      }
    : {
        appendBytesMax: mebibyte,
        inflightMessagesMax: 256,
        inflightBytesMax: 8 * mebibyte,
        uncommittedBytesMax: 64 * mebibyte,
        applyingBytesMax: 16 * mebibyte,
        ...kept,
      }
}
