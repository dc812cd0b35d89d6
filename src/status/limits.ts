/** Bounds of the status port. docs/limits.md says what happens above. */

/** Every page, scraper and probe of a cluster fits in; the rest waits or is refused. */
export const connectionsMax = 256

/** Requests here have no body and short addresses; whoever is slow to send one is cut. */
export const bodyBytesMax = 1024
export const headerBytesMax = 8192
export const requestTimeoutMs = 10_000
export const keepAliveTimeoutMs = 30_000

/** Changes in one answer. */
export const changesListedMax = 200
/** Enough to recognise a change; a change may hold 256 paths, a group as many people. */
export const pathsShownMax = 20
export const candidatesShownMax = 20

/** Readers of the live view at one time, and how long one may take nothing. */
export const liveListenersMax = 64
export const liveStuckAfterMs = 10_000
