/**
 * The story of the demo, scene by scene. Scenes that people play go through the command line, as a
 * process, with what a person would type; what a program does (a service, an attacker) goes through
 * the client library. Each leaves the cluster with all three nodes running.
 */
import path from 'node:path'
import { composePropose, readCurrent, sign } from '../../src/client/index.js'
import { forgeApproval } from './forgery.js'
import type { Narrator } from './narrator.js'
import { sameDigest, type Outcome, type Stage } from './stage.js'
import type { WatchingService } from './watching-service.js'

export interface Play {
  readonly narrator: Narrator
  readonly stage: Stage
  readonly service: WatchingService
}

const timeout = '/prod/payments/timeout_ms'
const retries = '/prod/payments/retries'
const limit = '/prod/payments/limit_eur'

/** The state of the change, or the code of the refusal. */
export const wordOf = (outcome: Outcome) =>
  outcome.ok ? String(outcome.result['state']) : outcome.error.code

const changeOf = (outcome: Outcome) => {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`)
  return String(outcome.result['changeId'])
}

async function valueAt({ stage }: Play, path: string): Promise<unknown> {
  const read = await stage.client.get(path).catch(() => undefined)
  return read?.value.content.kind === 'value' ? read.value.content.value : undefined
}

/** One line of the story: what came out, against what had to. */
function expectWord({ narrator }: Play, outcome: Outcome, word: string, what: string): void {
  const got = wordOf(outcome)
  narrator.expect(got === word, got, outcome.ok ? what : `${what}: ${outcome.error.message}`)
}

const propose = (stage: Stage, person: string, setting: string, reason: string) =>
  stage.countersign('propose', '--as', person, '--set', setting, '--reason', reason)

const approve = (stage: Stage, person: string, changeId: string) =>
  stage.countersign('approve', changeId, '--as', person)

export async function quorum(play: Play): Promise<void> {
  const { narrator, stage, service } = play
  narrator.scene('alice proposes a real change')
  const proposed = await propose(stage, 'alice', `${timeout}=2500`, 'Raise it before the sale')
  expectWord(play, proposed, 'OPEN', 'the change waits for its quorum')
  const changeId = changeOf(proposed)

  narrator.scene('alice cannot approve her own change')
  expectWord(play, await approve(stage, 'alice', changeId), 'SELF_APPROVAL', 'refused')

  narrator.scene('one approval is not enough')
  expectWord(play, await approve(stage, 'bob', changeId), 'OPEN', 'one of two seats is filled')
  narrator.expect((await valueAt(play, timeout)) === undefined, 'OPEN', `nothing is at ${timeout}`)

  narrator.scene('the second approval activates it')
  expectWord(play, await approve(stage, 'carol', changeId), 'ACTIVE', 'at the index of this entry')
  narrator.expect((await valueAt(play, timeout)) === 2500, 'ACTIVE', `${timeout} is 2500`)

  narrator.scene('a service that watches sees the new value')
  narrator.expect(await service.sees(timeout, 2500), 'WATCH', `${timeout} = 2500 arrived`)
}

/** The proposal is signed before the kill, so that what is measured is the cluster alone. */
export async function leaderDies(play: Play): Promise<void> {
  const { narrator, stage, service } = play
  narrator.scene('the leader is killed with SIGKILL; the next change still commits')
  const signer = await stage.signerOf('bob')
  const { clusterId } = stage.cluster.file
  const author = { clusterId, person: 'bob', keyId: signer.keyId }
  const current = await readCurrent(stage.client, [retries])
  const message = sign(
    composePropose({
      ...author,
      title: 'Three retries',
      ops: [{ action: 'put', path: retries, value: 3 }],
      base: current.base,
    }),
    signer,
  )
  const leader = stage.cluster.node(await stage.leader())
  narrator.tell(`${leader.id} leads (process ${leader.pid ?? '?'}); kill -9`)
  await leader.kill()
  const killedMs = performance.now()
  const { changeId = '', state = '' } = await stage.client.propose(message)
  const tookMs = Math.round(performance.now() - killedMs)
  narrator.expect(state === 'OPEN', state, `bob's change is committed ${tookMs} ms after the kill`)
  narrator.tell(`${await stage.leader()} leads now`)
  await approve(stage, 'alice', changeId)
  expectWord(
    play,
    await approve(stage, 'carol', changeId),
    'ACTIVE',
    'two of three nodes are enough',
  )
  narrator.expect(await service.sees(retries, 3), 'WATCH', 'the service went on with another node')

  narrator.scene('the killed node starts again and catches up')
  leader.start()
  await leader.ready()
  const views = await stage.settled()
  const index = views[0]?.appliedIndex ?? 0
  narrator.expect(
    views.length === 3,
    'READY',
    `${leader.id} has applied index ${index}, as all have`,
  )
  narrator.expect(sameDigest(views), 'DIGEST', `all three: ${shortDigest(views)}`)
}

export async function movedBase(play: Play): Promise<void> {
  const { narrator, stage } = play
  narrator.scene('two changes start from the same base; one wins, the other goes stale')
  const first = changeOf(await propose(stage, 'alice', `${timeout}=4000`, 'The sale is near'))
  const second = changeOf(await propose(stage, 'bob', `${timeout}=1000`, 'Fail fast'))
  await approve(stage, 'bob', first)
  expectWord(play, await approve(stage, 'carol', first), 'ACTIVE', "alice's change took effect")
  const { value: stale } = await stage.client.getChange(second)
  const code = stale.closed?.reason?.code ?? stale.state
  narrator.expect(stale.state === 'STALE', stale.state, "bob's change is closed")
  narrator.expect(code === 'STALE_BASE', code, 'its base revision is no longer the current one')
  expectWord(play, await approve(stage, 'carol', second), 'NOT_OPEN', 'nobody can approve it now')

  narrator.scene('proposed again on the current base, the second change to the path activates')
  const again = changeOf(
    await propose(stage, 'bob', `${timeout}=1000`, 'Fail fast, on the new base'),
  )
  await approve(stage, 'alice', again)
  expectWord(play, await approve(stage, 'carol', again), 'ACTIVE', `${timeout} has its third value`)
  narrator.expect((await valueAt(play, timeout)) === 1000, 'ACTIVE', `${timeout} is 1000`)
}

export async function forgery(play: Play): Promise<void> {
  const { narrator, stage } = play
  narrator.scene("an approval forged in carol's name is refused by every node's own check")
  const changeId = changeOf(await propose(stage, 'alice', `${limit}=9000`, 'A higher limit'))
  await approve(stage, 'bob', changeId)
  const forged = await forgeApproval(stage, 'carol', changeId)
  for (const { id, client: address } of stage.cluster.file.nodes) {
    const code = await stage.answerOf(address, forged)
    narrator.expect(code === 'BAD_SIGNATURE', code, `${id} refuses it`)
  }

  narrator.scene('a cheating leader puts the forgery into the log; it changes nothing anywhere')
  const cheat = await stage.cheatingLeader()
  narrator.tell(`${cheat} leads without its pre-check (a test option of the node)`)
  const before = await stage.settled()
  await stage.answerOf(
    stage.cluster.file.nodes.find(({ id }) => id === cheat)?.client ?? '',
    forged,
  )
  const after = await stage.until(
    'the forged entry to be applied on every node',
    () => stage.settled(),
    (views) => views.every((view, n) => view.noise > (before[n]?.noise ?? 0)),
  )
  for (const { id, noise, appliedIndex } of after) {
    narrator.expect(
      noise > 0,
      'BAD_SIGNATURE',
      `${id} judged it noise at index ${appliedIndex} or before`,
    )
  }
  const { value: change } = await stage.client.getChange(changeId)
  narrator.expect(
    change.state === 'OPEN',
    change.state,
    `the change still has ${change.approvals} of 2`,
  )
  narrator.expect((await valueAt(play, limit)) === undefined, 'OPEN', `nothing is at ${limit}`)
  narrator.expect(sameDigest(after), 'DIGEST', `all three: ${shortDigest(after)}`)
  await stage.honestAgain(cheat)
}

export async function fourthPerson(play: Play): Promise<void> {
  const { narrator, stage } = play
  narrator.scene('a fourth person joins, under the same quorum')
  const made = await stage.countersign('key', 'new', '--as', 'dave')
  if (!made.ok) throw new Error(made.error.message)
  const added = await stage.countersign(
    ...['person', 'add', 'dave', '--as', 'alice', '--group', 'operators'],
    ...['--key-file', path.relative('.', String(made.result['requestFile']))],
  )
  expectWord(play, added, 'OPEN', 'person, key and group are one change')
  const joining = changeOf(added)
  await approve(stage, 'bob', joining)
  expectWord(play, await approve(stage, 'carol', joining), 'ACTIVE', 'dave is an operator')
  const acknowledged = await stage.countersign('key', 'ack', '--as', 'dave')
  narrator.expect(
    acknowledged.ok,
    acknowledged.ok ? 'ACKNOWLEDGED' : wordOf(acknowledged),
    'his key is in use',
  )
  // A key is as old as the first log time after its registration, and a change is as old as the
  // log time that it meets: the change that dave is to approve must come after that.
  narrator.tell('waiting until a majority of nodes has stamped the next log time ...')
  const before = await stage.logTime()
  await stage.until(
    'log time to move',
    () => stage.logTime(),
    (now) => now > before,
  )

  narrator.scene('the fourth person approves')
  const changeId = changeOf(await propose(stage, 'alice', `${limit}=7000`, 'A higher limit'))
  await approve(stage, 'bob', changeId)
  expectWord(play, await approve(stage, 'dave', changeId), 'ACTIVE', `dave filled the second seat`)
  narrator.expect((await valueAt(play, limit)) === 7000, 'ACTIVE', `${limit} is 7000`)
}

export async function sameEverywhere({ narrator, stage }: Play): Promise<void> {
  narrator.scene('all nodes hold the same state')
  const views = await stage.settled()
  for (const { id, role, appliedIndex, stateDigest } of views) {
    narrator.tell(`${id} ${role.padEnd(9)} index ${appliedIndex}  ${stateDigest.slice(0, 32)}`)
  }
  narrator.expect(views.length === 3 && sameDigest(views), 'DIGEST', 'equal on all three nodes')
}

const shortDigest = (views: readonly { readonly stateDigest: string }[]) =>
  views[0]?.stateDigest.slice(0, 16) ?? ''
