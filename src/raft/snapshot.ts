/**
 * Snapshots between nodes (chapter 5). The leader offers its latest one to a peer whose entries are
 * compacted away; the content travels outside the core; the peer installs it and acknowledges with
 * an ordinary match. A snapshot holds committed state only, so it stays valid when the leader or the
 * term changes while it is on its way.
 */
import { invariant } from '../invariant.js'
import { commitTo } from './commit.js'
import type { Core } from './core.js'
import { followLeader } from './following.js'
import { isSound } from './membership/configuration.js'
import { restoreConfiguration } from './membership/in-force.js'
import type { Progress } from './progress/progress.js'
import { becomeFollower } from './roles.js'
import { trace, traceMessage } from './trace.js'
import type { AppendReply, NodeId, SnapshotMeta, SnapshotOffer } from './types.js'

export function offerSnapshot(core: Core, peer: NodeId, progress: Progress): void {
  const message: SnapshotOffer = {
    kind: 'snapshotOffer',
    from: core.id,
    to: peer,
    term: core.currentTerm,
    session: progress.session,
    snapshot: progress.offer(core.snapshot, core.now),
  }
  core.output.send.push(message)
  traceMessage(core, 'Send', message)
}

/** Each offer that helps is handed on, a repeated one too: the fetch before it may have failed. */
export function handleSnapshotOffer(core: Core, message: SnapshotOffer): void {
  const { from, snapshot, session } = message
  const { index, configuration, configurationIndex } = snapshot
  if (snapshot.term > message.term || configurationIndex > index || !isSound(configuration)) {
    trace(core, 'Refused', { what: 'offer of an impossible snapshot', from })
    return
  }
  if (!followLeader(core, from)) return
  core.offered = { leader: from, term: core.currentTerm, session }
  if (core.log.matches(snapshot)) commitTo(core, snapshot.index)
  if (snapshot.index <= core.commitIndex) acknowledge(core)
  else core.output.fetchSnapshot = { from, snapshot }
}

/**
 * Of three cases: what is committed here already is ignored; where the log holds the snapshot's last
 * entry, the entries behind it are worth keeping; else the whole log gives way, whether it is too
 * short or in conflict (figure 5.3, steps 6 to 8). Then the leader learns where the logs meet.
 */
export function snapshotFetched(core: Core, snapshot: SnapshotMeta): void {
  // The fetch may have outlived a leader whose term this node never made durable.
  if (snapshot.term > core.currentTerm) becomeFollower(core, snapshot.term, null)
  if (core.log.matches(snapshot)) commitTo(core, snapshot.index)
  if (snapshot.index > core.commitIndex) install(core, snapshot)
  acknowledge(core)
}

function install(core: Core, snapshot: SnapshotMeta): void {
  invariant(core.role.kind !== 'leader', 'a leader holds everything that is committed', {
    index: snapshot.index,
    term: snapshot.term,
    lastIndex: core.log.lastIndex,
  })
  // A campaign under way claims the log that is dropped now.
  if (core.role.kind !== 'follower') becomeFollower(core, core.currentTerm, null)
  core.log.reset(snapshot, core.commitIndex)
  core.commitIndex = snapshot.index
  core.verifiedIndex = snapshot.index
  core.snapshot = snapshot
  restoreConfiguration(core, snapshot)
  core.restoring = { snapshot, handedOut: false }
  core.output.install = snapshot
  trace(core, 'InstallSnapshot', { index: snapshot.index, term: snapshot.term })
}

/** Leaves behind the disk, with the write of an install when there is one. */
function acknowledge(core: Core): void {
  const { offered } = core
  if (offered === null || offered.leader !== core.leader || offered.term !== core.currentTerm) {
    return
  }
  const answer: AppendReply = {
    kind: 'appendReply',
    from: core.id,
    to: offered.leader,
    term: core.currentTerm,
    session: offered.session,
    // All that is committed here is in the leader's log too (leader completeness, 3.6.3).
    result: { kind: 'matched', matchIndex: core.commitIndex },
  }
  core.output.replies.push(answer)
  traceMessage(core, 'Send', answer)
}
