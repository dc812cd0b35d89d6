/** Bounds of what a node holds and how long; docs/limits.md explains each. */

/** More than a cluster has nodes: whoever comes on top is not kept. */
export const introducedMax = 16

/**
 * Above an election after a refused redial, far below the election timeout: a node that is cut off
 * from the majority must send its clients on soon.
 */
export const leaderWaitMs = 150
