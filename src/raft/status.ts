/** The node as others see it: for operators, and for the invariants. */
import type { Core } from './core.js'
import type { RaftFacts } from './invariants.js'
import { catchUpStatus } from './membership/catch-up.js'
import type { PeerStatus, RaftStatus } from './types.js'

export function statusOf(core: Core): RaftStatus {
  const leader = core.role.kind === 'leader' ? core.role : null
  return {
    id: core.id,
    role: core.role.kind,
    term: core.currentTerm,
    votedFor: core.votedFor,
    leader: core.leader,
    voters: core.configurations.voters,
    configuration: core.configurations.inForce.configuration,
    configurationIndex: core.configurations.inForce.index,
    configurationCommitted: core.configurations.isCommitted,
    firstIndex: core.log.firstIndex,
    snapshotIndex: core.snapshot.index,
    lastIndex: core.log.lastIndex,
    durableIndex: core.log.durableIndex,
    commitIndex: core.commitIndex,
    appliedIndex: core.appliedIndex,
    logBytes: core.log.payloadBytes(core.log.anchor.index, core.log.lastIndex),
    uncommittedBytes: leader?.uncommittedBytes ?? 0,
    pendingReads: leader?.reads.count ?? 0,
    peers: peersOf(core),
    transferTarget: leader?.transfer?.target ?? null,
    counters: {
      electionsStarted: core.electionsStarted,
      electionsWon: core.electionsWon,
      // Whatever ended them: a majority of refusals, another leader, a higher term, the timeout.
      electionsLost:
        core.electionsStarted - core.electionsWon - (core.role.kind === 'candidate' ? 1 : 0),
      preVotesRefused: core.preVotesRefused,
      proposalsRefused: core.proposalsRefused,
    },
  }
}

export function factsOf(core: Core): RaftFacts {
  const { role } = core
  const leader = role.kind === 'leader' ? role : null
  return {
    id: core.id,
    configuration: core.configurations.inForce.configuration,
    configurationIndex: core.configurations.inForce.index,
    committedConfiguration: core.configurations.committed.configuration,
    committedConfigurationIndex: core.configurations.committed.index,
    role: role.kind,
    term: core.currentTerm,
    votedFor: core.votedFor,
    leader: core.leader,
    durableTerm: core.output.durableHardState.term,
    durableVotedFor: core.output.durableHardState.votedFor,
    snapshotIndex: core.snapshot.index,
    anchorIndex: core.log.anchor.index,
    restoringIndex: core.restoring?.snapshot.index ?? null,
    termRuns: core.log.termRuns(),
    lastIndex: core.log.lastIndex,
    durableIndex: core.log.durableIndex,
    commitIndex: core.commitIndex,
    applyingIndex: core.applyingIndex,
    appliedIndex: core.appliedIndex,
    applyingBytes: core.applyingBytes,
    grantedVotes:
      role.kind === 'candidate' ? [...role.votes].filter(([, yes]) => yes).map(([id]) => id) : [],
    termStart: leader?.termStart ?? null,
    uncommittedBytes: leader?.uncommittedBytes ?? 0,
    peers: peersOf(core),
    transferTarget: leader?.transfer?.target ?? null,
    lastReadToken: leader?.reads.latestToken ?? core.lastReadToken,
    ackedReadToken: leader?.reads.ackedTokenMax ?? 0,
    electionElapsedTicks: core.now - core.electionStartedAtTicks,
    electionTimeoutTicks: core.electionTimeoutTicks,
    electionTicksMax: core.options.electionTicksMax,
  }
}

function peersOf(core: Core): readonly PeerStatus[] {
  const { role } = core
  if (role.kind !== 'leader') return []
  return [...role.peers].map(([id, progress]) => ({
    id,
    state: progress.kind,
    votes: core.configurations.voters.includes(id),
    matchIndex: progress.matchIndex,
    nextIndex: progress.nextIndex,
    inflightMessages: progress.inflights.messages,
    inflightBytes: progress.inflights.bytes,
    fedIndex: progress.pin?.index ?? null,
    silentTicks: core.now - progress.heardAtTicks,
    catchUp: catchUpStatus(core, role, id),
  }))
}
