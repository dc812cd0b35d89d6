import t from 'tap'
import { metricCatalogue } from '../../src/status/index.js'
import { createMetrics } from '../../src/status/metrics.js'
import { FakeNode, openedAt } from './fake-node.js'

/** Sample lines by name with labels, as Prometheus reads them. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

await t.test(
  'every metric of the catalogue, with help and type, and nothing else of ours',
  async (t) => {
    const metrics = createMetrics(new FakeNode(), { tickMs: 10 })
    t.teardown(() => {
      metrics.close()
    })
    const text = await metrics.text()
    t.match(metrics.contentType, /^text\/plain/)
    for (const { name, type, help } of Object.values(metricCatalogue)) {
      t.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name)
      t.equal(name.endsWith('_total'), type === 'counter', `${name}: only counters end in _total`)
    }
    const ours = [...text.matchAll(/^# TYPE (countersign_\w+)/gmu)].map((match) => match[1])
    t.strictSame(
      ours.toSorted(),
      Object.values(metricCatalogue)
        .map((row) => row.name)
        .toSorted(),
    )
    t.ok(text.includes('process_cpu_seconds_total'))
    t.ok(text.includes('nodejs_eventloop_lag_seconds'))
  },
)

await t.test('a leader: the figures of its status', async (t) => {
  const node = new FakeNode()
  const metrics = createMetrics(node, { tickMs: 10 })
  t.teardown(() => {
    metrics.close()
  })
  node.changes = [{ changeId: 'a'.repeat(32), state: 'OPEN', title: 'x' }]
  const seen = samples(await metrics.text())
  const expected: [string, number][] = [
    ['countersign_build_info{version="0.1.0",node="node-1",cluster="example"}', 1],
    ['countersign_ready', 1],
    ['countersign_watchers', 2],
    ['countersign_raft_role{role="leader"}', 1],
    ['countersign_raft_role{role="follower"}', 0],
    ['countersign_raft_leader_known', 1],
    ['countersign_raft_term', 4],
    ['countersign_raft_last_index', 120],
    ['countersign_raft_durable_index', 120],
    ['countersign_raft_commit_index', 120],
    ['countersign_raft_applied_index', 118],
    ['countersign_raft_uncommitted_bytes', 0],
    ['countersign_raft_pending_reads', 1],
    ['countersign_raft_elections_started_total', 2],
    ['countersign_raft_elections_won_total', 1],
    ['countersign_raft_elections_lost_total', 1],
    ['countersign_raft_pre_votes_refused_total', 3],
    ['countersign_raft_proposals_refused_total{reason="notLeader"}', 2],
    ['countersign_raft_proposals_refused_total{reason="bytesWaiting"}', 1],
    ['countersign_raft_proposals_refused_total{reason="commandsWaiting"}', 3],
    ['countersign_raft_log_entries', 70],
    ['countersign_raft_log_bytes', 7000],
    ['countersign_raft_oldest_log_age_seconds', 30],
    ['countersign_disk_stalled', 0],
    ['countersign_snapshot_bytes', 4096],
    ['countersign_last_restore_seconds', 0.25],
    ['countersign_peer_state{peer="node-2",state="replicate"}', 1],
    ['countersign_peer_state{peer="node-2",state="snapshot"}', 0],
    ['countersign_peer_match_index{peer="node-3"}', 117],
    ['countersign_peer_next_index{peer="node-3"}', 118],
    ['countersign_peer_inflight_messages{peer="node-2"}', 2],
    ['countersign_snapshot_sent_bytes_total', 8192],
    ['countersign_repairing', 0],
    ['countersign_peer_connected{peer="node-2"}', 1],
    ['countersign_peer_lag_entries{peer="node-3"}', 3],
    ['countersign_peer_silent_seconds{peer="node-3"}', 0.07],
    ['countersign_peer_inflight_bytes{peer="node-2"}', 4096],
    ['countersign_changes{state="OPEN"}', 1],
    ['countersign_changes{state="ACTIVE"}', 0],
    ['countersign_feature_level', 1],
    ['countersign_log_time_seconds', openedAt / 1000],
    ['countersign_refusals_total', 5],
    ['countersign_noise_total', 1],
  ]
  for (const [name, value] of expected) t.equal(seen.get(name), value, name)
  t.ok((seen.get('countersign_loop_busy_seconds_total') ?? 0) > 0)
})

await t.test('counters that are kept elsewhere do not add up from scrape to scrape', async (t) => {
  const metrics = createMetrics(new FakeNode(), { tickMs: 10 })
  t.teardown(() => {
    metrics.close()
  })
  await metrics.text()
  const seen = samples(await metrics.text())
  t.equal(seen.get('countersign_refusals_total'), 5)
  t.equal(seen.get('countersign_raft_proposals_refused_total{reason="notLeader"}'), 2)
})

await t.test('a node that stops to lead forgets what only a leader knows', async (t) => {
  const node = new FakeNode()
  const metrics = createMetrics(node, { tickMs: 10 })
  t.teardown(() => {
    metrics.close()
  })
  await metrics.text()
  node.raft = { ...node.raft, role: 'follower', leader: null, peers: [] }
  node.connected = false
  const seen = samples(await metrics.text())
  t.notOk([...seen.keys()].some((name) => name.startsWith('countersign_peer_lag')))
  t.equal(seen.get('countersign_peer_connected{peer="node-2"}'), 0)
  t.equal(seen.get('countersign_raft_leader_known'), 0)
  t.equal(seen.get('countersign_raft_role{role="leader"}'), 0)
})

await t.test('events are counted as they are applied', async (t) => {
  const node = new FakeNode()
  const metrics = createMetrics(node, { tickMs: 10 })
  t.teardown(() => {
    metrics.close()
  })
  const changeId = 'a'.repeat(32)
  const person = 'alice'
  node.applied([
    { kind: 'proposed', changeId, revision: 1, contentDigest: 'd', person, title: 'x' },
    { kind: 'stateChanged', changeId, from: 'OPEN', to: 'APPROVED' },
  ])
  node.applied([{ kind: 'decided', changeId, revision: 1, decision: 'approve', person: 'bob' }])
  node.applied([{ kind: 'timeAdvanced', ms: 5 }])
  const seen = samples(await metrics.text())
  t.equal(seen.get('countersign_applied_entries_total'), 3)
  t.equal(seen.get('countersign_revisions_proposed_total'), 1)
  t.equal(seen.get('countersign_decisions_total{decision="approve"}'), 1)
  t.equal(seen.get('countersign_changes_entered_total{state="APPROVED"}'), 1)
  t.equal(seen.get('countersign_activations_total'), 0)
  metrics.close()
  t.equal(node.listeners, 0)
})

await t.test('latencies fall into buckets, stage by stage', async (t) => {
  const node = new FakeNode()
  const metrics = createMetrics(node, { tickMs: 10 })
  t.teardown(() => {
    metrics.close()
  })
  node.took('persist', 3)
  node.took('persist', 40)
  node.took('commit', 7)
  const seen = samples(await metrics.text())
  t.equal(seen.get('countersign_raft_persist_seconds_count'), 2)
  t.equal(seen.get('countersign_raft_persist_seconds_bucket{le="0.002"}'), 0)
  t.equal(seen.get('countersign_raft_persist_seconds_bucket{le="0.005"}'), 1)
  t.equal(seen.get('countersign_raft_persist_seconds_bucket{le="0.05"}'), 2)
  t.equal(seen.get('countersign_raft_commit_seconds_sum'), 0.007)
  t.equal(seen.get('countersign_raft_apply_seconds_count'), 0)
})
