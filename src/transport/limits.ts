/** Bounds of the peer port and of what waits for a peer. docs/limits.md says what happens above. */

/** Connections that have not said a good Hello yet: far more than all nodes of a cluster need. */
export const strangersMax = 64

/** Frames and bytes that a stream may hold unflushed before messages queue. */
export const unflushedFramesMax = 16
export const unflushedBytesMax = 8 * 1024 * 1024

/** One peer's window of appends (`raft.inflightMessagesMax`), with room for votes and replies. */
export const queuedMessagesMax = 512
export const queuedBytesMax = 16 * 1024 * 1024

/** Peers that fetch from this node at one time: snapshots and entries. */
export const fetchesMax = 4

/** Of these by one peer: it resumes while its last call ends, and never keeps all from the others. */
export const fetchesOfOneMax = 2
