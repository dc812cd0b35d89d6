import type { Revision } from '../approval/index.js'
import type { Verify } from '../signing/index.js'
import type { ChangeReader } from './change-reader.js'
import type { MachineEvent } from './events.js'
import type { Law } from './law.js'
import type { State } from './state.js'

/** One log entry on its way through the machine. */
export interface Step {
  readonly law: Law
  readonly state: State
  readonly reader: ChangeReader
  readonly verify: Verify
  readonly index: Revision
  /** What is written at a Tick takes its start from this very Tick. */
  readonly isTick: boolean
  /** In order; the caller hands them out only when the draft is committed. */
  readonly events: MachineEvent[]
  /** Activations of this entry so far. */
  activated: number
}
