/**
 * Bugs of the rooms around the core: what it hands over must be kept. The simulator's level of the
 * core does not run these files; that of whole clusters runs most of them.
 */
import type { Mutant } from './mutant.js'

export const surroundingMutants: readonly Mutant[] = [
  {
    name: 'truncate on a bad checksum',
    breaks: 'a node drops what it has acknowledged and votes as if it had never held it',
    source: 'CTRL (Alagappan et al., FAST 2018); O#1894, C#199',
    file: 'src/storage/judge-log.ts',
    level: 'cluster',
    find: `  const isSound = damages.length === 0 && trusted !== null && anchor !== null
  const entries = [...checked.sound.values()].map(({ entry }) => entry)
  return {
    damages,`,
    replace: `  const isSound = trusted !== null && anchor !== null
  const sound = checked.runs[0]?.to ?? 0
  const entries = [...checked.sound.values()].map(({ entry }) => entry).filter(({ index }) => index <= sound)
  return {
    damages: isSound ? [] : damages,`,
    ten: true,
  },
  {
    name: 'apply index not atomic',
    breaks: 'after a crash an entry is applied twice, or never',
    source: 'etcd PR 13967, etcd#10508, etcd#13766',
    file: 'src/storage/level-state-store.ts',
    level: 'cluster',
    find: `        { type: 'put', key: stateKeys.applied, value: encodeApplied(applied) },
      ])`,
    replace: `      ])
      await this.#db.put(stateKeys.applied, encodeApplied(applied))`,
    ten: true,
  },
  {
    name: 'session table not in the snapshot',
    breaks: 'a retry is applied a second time after a snapshot was installed',
    source: 'dissertation 6.3; etcd#18424',
    file: 'src/machine/restore.ts',
    level: 'cluster',
    find: '    digest.add(recordHash(key, value))\n    table.load(id, value)\n',
    replace:
      "    digest.add(recordHash(key, value))\n    if (table.name !== 'seen') table.load(id, value)\n",
    ten: true,
  },
  {
    name: 'approval by lease',
    breaks: 'an approval that was revoked counts for another minute',
    source: 'approvals are judged at the log position, never from a cache with a time limit',
    file: 'src/machine/quorum.ts',
    level: 'cluster',
    find: `  const counting = countingApprovals(sight, change, binding)
  const quorum =`,
    replace: `  const counting = countingApprovals(sight, change, binding)
  const leases = ((globalThis as any).leases ??= new Map())
  const held = leases.get(change.changeId)
  if (held !== undefined && sight.state.logTime < held.until) {
    for (const [person, row] of held.counting) if (!counting.has(person)) counting.set(person, row)
  }
  leases.set(change.changeId, { until: sight.state.logTime + 60_000, counting: new Map(counting) })
  const quorum =`,
    ten: true,
  },
  {
    name: 'double vote after a disk swap',
    breaks: 'a node whose disk was replaced votes again in a term in which it has voted',
    source: 'O#2002, redisraft#2, O FAQ',
    file: 'src/transport/hello.ts',
    level: 'cluster',
    find: 'if (peer !== undefined && hello.incarnation !== peer.incarnation) {',
    replace: 'if (peer !== undefined && hello.incarnation === undefined) {',
    ten: true,
  },
  {
    name: 'id of a removed node used again',
    breaks: 'another machine answers for what the removed one held',
    source: 'O#2002, cockroach#756',
    file: 'src/transport/hello.ts',
    level: 'cluster',
    find: 'if (isProven && (rules.removed ?? []).includes(hello.nodeId)) return removed(hello.nodeId)',
    replace:
      "if (isProven && (rules.removed ?? []).includes(hello.nodeId)) return { kind: 'peer', peer: { id: hello.nodeId, address: '', incarnation: hello.incarnation } }",
  },
  {
    name: 'unsaved snapshot reported',
    breaks: 'the log is cut though the snapshot did not reach the disk',
    source: 'B#461, nats#8425',
    file: 'src/node/snapshot-maker.ts',
    level: 'cluster',
    find: `      const info = await snapshotStore.save(head, this.#checked(applied, first, view))
`,
    replace: `      saved(meta)
      const info = await snapshotStore.save(head, this.#checked(applied, first, view))
`,
  },
  {
    name: 'feature level of an unready member',
    breaks: 'a member stops at a command that its build does not know',
    source: 'L capabilities',
    file: 'src/machine/member-builds.ts',
    level: 'cluster',
    find: 'level > (build.featureLevelMax ?? inForce)',
    replace: 'level > (build.featureLevelMax ?? level)',
  },
]
