/** Sizes on the wire, in bytes unless the name says otherwise. Documented in docs/limits. */

const KiB = 1024
const MiB = 1024 * KiB

/** Most that a receiver takes in one gRPC message, both ports: the default of gRPC. */
export const messageBytesMax = 4 * MiB

/**
 * Where a drain of messages is cut into several frames. A command is at most 1 MiB, an append at
 * most one command above 1 MiB, so that a frame stays below {@link messageBytesMax}.
 */
export const frameBytesTarget = 1 * MiB

/** One identifier, address or word inside a frame, in UTF-16 units. */
export const wordLengthMax = 512

/** Messages in one frame. */
export const frameMessagesMax = 4096

/** One part of a snapshot on its way to a peer. */
export const fetchedPartBytesMax = 256 * KiB

/** Node ids in one list of a configuration on the wire: far more than a cluster has. */
export const configurationIdsMax = 256
