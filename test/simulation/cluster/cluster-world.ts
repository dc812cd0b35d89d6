/** What every machine of the simulation shares. */
import type { Logger } from 'pino'
import type { Verify } from '../../../src/signing/index.js'
import type { EventDigest } from '../digest.js'
import type { Oracles } from '../oracles.js'
import type { Schedule } from '../schedule.js'
import type { Ledger } from './ledger.js'
import type { Links } from './links.js'
import type { ClusterOptions } from './options.js'
import type { Founded } from './people.js'
import type { RarePaths } from './rare-paths.js'

export interface ClusterWorld {
  readonly options: ClusterOptions
  readonly schedule: Schedule
  readonly links: Links
  readonly digest: EventDigest
  readonly oracles: Oracles
  readonly ledger: Ledger
  readonly founded: Founded
  readonly verify: Verify
  readonly log: Logger
  readonly rare: RarePaths
  /** What happened to machines, by name, for the report. */
  readonly count: (what: string) => void
  /** Something broke that must not: the run ends. */
  readonly violated: (thrown: unknown) => void
}
