import type { Mutant } from './mutant.js'

export const electionMutants: readonly Mutant[] = [
  {
    name: 'no pre-vote',
    breaks: 'a node that returns from isolation moves the term and unseats the leader',
    source: 'dissertation 9.6; H#524',
    file: 'src/raft/election.ts',
    find: 'else startPreVote(core)',
    replace: 'else becomeCandidate(core, false)',
    ten: true,
  },
  {
    name: 'no vote withholding',
    breaks: 'a removed node or one with an old link unseats a live leader',
    source: 'dissertation 4.2.3',
    file: 'src/raft/following.ts',
    find: `  if (core.role.kind === 'leader') return true
  return core.leader !== null`,
    replace: '  return false && core.leader !== null',
  },
  {
    name: 'no check-quorum',
    breaks: 'a leader without a majority leads on, and blocks a healthy majority',
    source: 'dissertation 6.2; O#2080, E#266',
    file: 'src/raft/raft.ts',
    find: '  checkQuorum(core, leader)\n',
    replace: '',
  },
  {
    name: 'no fsync of the vote',
    breaks: 'a restarted node votes twice in one term',
    source: 'H#661',
    file: 'src/raft/output.ts',
    find: `current.term !== this.handedHardState.term ||
      current.votedFor !== this.handedHardState.votedFor
`,
    replace: 'current.term !== this.handedHardState.term\n',
    ten: true,
  },
  {
    name: 'own vote counted before it is durable',
    breaks: 'a candidate that crashes may vote for another in the term in which it asked',
    source: 'E CandidateSelfVoteAfterLostElection',
    file: 'src/raft/election.ts',
    find: '  if (durableTerm !== core.currentTerm || votedFor !== core.id) return\n',
    replace: '  void [durableTerm, votedFor]\n',
  },
  {
    name: 'two votes in one term',
    breaks: 'one term has two leaders',
    source: 'dissertation 3.4',
    file: 'src/raft/election.ts',
    find: 'const free = core.votedFor === message.from ||',
    replace: 'const free = true ||',
  },
  {
    name: 'vote forgotten when a leader is followed',
    breaks: 'a node that follows may vote again in the same term',
    source: 'CCF#8094',
    file: 'src/raft/roles.ts',
    find: `  if (newTerm > core.currentTerm) {
    core.currentTerm = newTerm
    core.votedFor = null`,
    replace: `  core.votedFor = null
  if (newTerm > core.currentTerm) {
    core.currentTerm = newTerm`,
  },
  {
    name: 'vote without comparing logs',
    breaks: 'a leader lacks what is committed',
    source: 'dissertation 3.6.1',
    file: 'src/raft/election.ts',
    find: '&& free && core.log.isUpToDate(message)',
    replace: '&& free',
  },
  {
    name: 'logs compared by length',
    breaks: 'a leader with a longer log of an older term lacks what is committed',
    source: 'O a48a3282',
    file: 'src/raft/log/log.ts',
    find: '    if (end.lastTerm !== this.lastTerm) return end.lastTerm > this.lastTerm\n',
    replace: '',
  },
  {
    name: 'late consent counted as a vote',
    breaks: 'a candidate leads with the consent to campaign instead of votes',
    source: 'E, late PreVoteResp',
    file: 'src/raft/election.ts',
    find: `  if (core.role.kind !== 'preCandidate') return
  if (reply.granted &&`,
    replace: `  if (core.role.kind === 'candidate') {
    core.role.votes.set(reply.from, reply.granted)
    countVotes(core)
    return
  }
  if (core.role.kind !== 'preCandidate') return
  if (reply.granted &&`,
  },
  {
    name: 'stalled disk leads on',
    breaks: 'a leader whose disk hangs keeps the cluster from one whose disk works',
    source: 'H#503, etcd#13527',
    file: 'src/raft/raft.ts',
    find: '  if (core.diskStalls()) {',
    replace: '  if (core.now < 0) {',
  },
  {
    name: 'handover to a stale node',
    breaks: 'the target campaigns without what the leader has, and the cluster waits',
    source: 'dissertation 3.10',
    file: 'src/raft/transfer.ts',
    find: '  if (peers.get(transfer.target)?.matchIndex !== core.log.lastIndex) return\n',
    replace: '  void peers\n',
  },
  {
    name: 'handover never given up',
    breaks: 'proposals are refused for ever when the target does not take over',
    source: 'H#696',
    file: 'src/raft/transfer.ts',
    find: '  leader.transfer = null\n',
    replace: '',
  },
  {
    name: 'proposals during a handover',
    breaks: 'the target never holds the whole log, or what is appended is lost with the term',
    source: 'dissertation 3.10',
    file: 'src/raft/replication.ts',
    find: "  if (core.role.transfer !== null) return 'BUSY'\n",
    replace: '',
  },
  {
    name: 'refused leader still protected',
    breaks: 'nobody grants a pre-vote until the timeout, though the leader is dead',
    source: 'fast failover',
    file: 'src/raft/following.ts',
    find: `  core.role = { kind: 'follower', leader: null }
  campaignInTurn(core, peer)`,
    replace: '  campaignInTurn(core, peer)',
  },
  {
    name: 'flapping link not limited',
    breaks: 'each refused dial makes a round of pre-votes',
    source: 'fast failover',
    file: 'src/raft/following.ts',
    find: 'core.now - last.atTicks < core.options.electionTicksMin',
    replace: 'core.now < last.atTicks',
  },
]
