/** One thing that must hold when the faults have ended. */
export interface Check {
  readonly name: string
  readonly holds: boolean
  /** One sentence: what was seen. */
  readonly fact: string
}
