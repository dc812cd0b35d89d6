import type { ScenarioHead } from '../language/scenario-file.js'

/** A scenario whose subject the scenario language cannot express: it runs other rooms than raft/. */
export interface CodedScenario extends ScenarioHead {
  /** Of its file, without `.ts`. */
  readonly name: string
  /** Rejects with what went wrong. */
  readonly run: () => Promise<void>
}
