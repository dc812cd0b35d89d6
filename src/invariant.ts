/**
 * A broken invariant speaks about our own state only, never about input: nobody catches it, the
 * process reports it and ends. The sentence is stable text that an operator can search for.
 */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
  readonly facts: Readonly<Record<string, unknown>>

  constructor(sentence: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(sentence)
    this.facts = facts
  }
}

/** Throws {@link InvariantViolation} unless `condition` holds. `facts` join the report. */
export function invariant(
  condition: unknown,
  sentence: string,
  facts?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantViolation(sentence, facts)
}
