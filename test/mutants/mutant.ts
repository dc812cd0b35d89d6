/** One protocol bug, put into the source on purpose to see the tests notice it. */
export interface Mutant {
  readonly name: string
  /** What goes wrong for whom. */
  readonly breaks: string
  /** Where it is known from: paper, or the issue of a project that had it. */
  readonly source: string
  /** The file it lives in, and the text there that occurs exactly once. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The level of the simulator whose program holds the file; absent: the core. */
  readonly level?: 'cluster'
  /** One of the ten that every merge is held against. */
  readonly ten?: true
}

/** The mutated source. Throws when the text to replace is not there exactly once. */
export function mutate(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.find)
  if (parts.length !== 2) {
    throw new Error(
      `the mutant "${mutant.name}" no longer fits ${mutant.file}: its text is there ${String(parts.length - 1)} times`,
    )
  }
  return parts.join(mutant.replace)
}
