/**
 * Places in the node where something legal and unlikely may be made to happen, after the BUGGIFY of
 * FoundationDB (Zhou et al., SIGMOD 2021, section 4.2). A simulator hands in {@link Rare} and so
 * reaches orders of events that healthy hardware shows once in years; its campaign fails when a
 * site was never reached. Production hands in nothing, and a site costs one comparison.
 *
 * A site may do what the contract of its place allows: be late, do less at once, give up early, ask
 * again. It never does wrong.
 */
export const rareSites = [
  /** What gathered is not stepped together: an output is taken after each event. */
  'drive: each event is a drain of its own',
  /** Effects that gathered are written one by one, not as a group. */
  'log-writer: a group is written one by one',
  /** Acknowledgements leave, and the core hears of a durable write, a turn of the loop later. */
  'log-writer: a durable write is told late',
  /** A portion ends after one entry, so heartbeats pass between. */
  'apply-loop: a portion is one entry',
  /** Other work gets a turn between applying a portion and storing it. */
  'apply-loop: a portion is stored late',
  /** A snapshot is made although it is not due yet. */
  'snapshot-maker: a snapshot is due early',
  /** A finished snapshot is told to the core late: the log may have moved on. */
  'snapshot-maker: a snapshot is told late',
  /** A fetch is given up after a part; the next one goes on where it ended. */
  'snapshot-fetcher: a fetch is given up after a part',
  /** The same change of members is asked for twice; the core must refuse one. */
  'membership-driver: a change is asked for twice',
  /** What the governed nodes say is acted upon at a later check. */
  'membership-driver: a change waits for a later check',
  /** A round of stamps ends without a Tick, as if nobody had answered. */
  'log-clock: a round is given up',
] as const

export type RareSite = (typeof rareSites)[number]

/** Should the rare thing happen here, now? */
export type Rare = (site: RareSite) => boolean
