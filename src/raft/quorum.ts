/**
 * Arithmetic of majorities. Recomputed by sorting each time: with at most nine voters an
 * incremental structure saves nothing, and one has cost a peer project a safety bug.
 */
export function majorityOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1
}

/** The greatest value that a majority has reached; `values` holds one value for each voter. */
export function majorityValue(values: readonly number[]): number {
  const descending = [...values].sort((a, b) => b - a)
  return descending[majorityOf(values.length) - 1] ?? 0
}

export type VoteResult = 'won' | 'lost' | 'pending'

/** Judges an election: `votes` maps a voter to granted or refused; who is missing is undecided. */
export function voteResult(
  voters: readonly string[],
  votes: ReadonlyMap<string, boolean>,
): VoteResult {
  let granted = 0
  let refused = 0
  for (const voter of voters) {
    const vote = votes.get(voter)
    if (vote === true) granted += 1
    if (vote === false) refused += 1
  }
  if (granted >= majorityOf(voters.length)) return 'won'
  return voters.length - refused < majorityOf(voters.length) ? 'lost' : 'pending'
}
