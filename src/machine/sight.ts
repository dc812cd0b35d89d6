import type { Step } from './step.js'

/** What judging needs to see; only effects need the whole step. */
export type Sight = Pick<Step, 'law' | 'state' | 'reader'>
