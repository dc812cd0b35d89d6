/**
 * Random changes of the members among crashes, losses, reordering, slow disks and logs that are cut:
 * whatever quorums decide, they meet (dissertation 4.3). MEMBERSHIP_SEED replays one run.
 */
import t from 'tap'
import { SeededRandom } from '../simulation/random.js'
import { Group, heartbeatTicks, optionsOf } from './group.js'

const founding = ['a', 'b', 'c']
const everybody = ['a', 'b', 'c', 'd', 'e', 'f']
const stepsOfRun = 1500

/** What no two nodes may see differently. */
class Witness {
  private readonly leaders = new Map<number, string>()
  private readonly applied = new Map<number, string>()
  private readonly seen = new Map<string, number>()
  /** Configurations that were committed, joint ones too. */
  readonly configurations = new Set<number>()
  /** Snapshots that were offered to who needs one. */
  offers = 0

  look(group: Group): void {
    for (const [id, member] of group.members) {
      const { role, term, configurationCommitted, configurationIndex } = group.status(id)
      if (role === 'leader') this.same(this.leaders, term, id, 'leader of term')
      if (configurationCommitted) this.configurations.add(configurationIndex)
      // A restarted node applies again from the start.
      const from = Math.min(this.seen.get(id) ?? 0, member.applied.length)
      for (const entry of member.applied.slice(from)) {
        const value = `${String(entry.term)} ${entry.kind} ${Buffer.from(entry.payload).toString()}`
        this.same(this.applied, entry.index, value, 'entry')
      }
      this.seen.set(id, member.applied.length)
    }
  }

  private same(known: Map<number, string>, key: number, value: string, what: string): void {
    const before = known.get(key)
    if (before !== undefined && before !== value) {
      throw new Error(`${what} ${String(key)}: ${before}, and ${value}`)
    }
    known.set(key, value)
  }
}

function act(group: Group, random: SeededRandom): void {
  const id = random.pick(everybody)
  const chance = random.next()
  if (chance < 0.5) deliver(group, random)
  else if (chance < 0.84) group.step(id, { kind: 'tick', ticks: random.int(1, 2 * heartbeatTicks) })
  else if (chance < 0.89) group.propose(id, String(random.int(0, 999)))
  else if (chance < 0.92) askForChange(group, random)
  else if (chance < 0.95) cutLog(group, id)
  else if (chance < 0.96) group.fetchOne()
  else if (chance < 0.98) delayDisk(group, id)
  else if (group.member(id).alive) group.crash(id)
  else group.restart(id)
}

function cutLog(group: Group, id: string): void {
  const { alive, applied } = group.member(id)
  if (alive && applied.length > 0) group.saveSnapshot(id)
}

function delayDisk(group: Group, id: string): void {
  const { alive, heldDisk } = group.member(id)
  if (!alive) return
  if (heldDisk) group.releaseDisk(id)
  else group.holdDisk(id)
}

/** Some of what is on the wire arrives, not quite in order, or not at all. */
function deliver(group: Group, random: SeededRandom): void {
  for (let count = random.int(1, 8); count > 0; count -= 1) {
    const place = random.int(0, Math.min(3, group.wire.length - 1))
    const [message] = group.wire.splice(place, 1)
    if (message === undefined) return
    if (random.chance(0.97)) group.step(message.to, { kind: 'receive', message })
  }
}

function askForChange(group: Group, random: SeededRandom): void {
  const members = random.sample(everybody, random.int(1, 6))
  const voters = random.sample(members, random.int(1, members.length))
  const learners = members.filter((member) => !voters.includes(member))
  for (const id of everybody) {
    if (group.member(id).alive && group.status(id).role === 'leader') {
      group.change(id, voters, learners)
    }
  }
}

/** All live and hear each other: a leader must end whatever change is under way. */
function isAtRest(group: Group): boolean {
  return everybody.some((id) => {
    const { role, configuration, configurationCommitted } = group.status(id)
    return (
      role === 'leader' &&
      configurationCommitted &&
      configuration.outgoing.length === 0 &&
      configuration.target === null
    )
  })
}

function run(seed: number): Witness {
  const random = new SeededRandom(seed)
  const timer = () => {
    const own = random.fork()
    return { random: () => own.next() }
  }
  const limits = { ...optionsOf('a', founding).limits, keptEntries: random.int(0, 4) }
  const group = new Group(founding, () => ({ limits, ...timer() }))
  for (const id of everybody) {
    if (!founding.includes(id)) group.add({ ...optionsOf(id, founding), limits, ...timer() })
  }
  const witness = new Witness()
  for (let step = 0; step < stepsOfRun; step += 1) {
    act(group, random)
    witness.look(group)
  }
  for (const id of everybody) {
    if (group.member(id).alive) group.releaseDisk(id)
    else group.restart(id)
  }
  for (let ticks = 0; ticks < 5000 && !isAtRest(group); ticks += 1) {
    group.run(1)
    witness.look(group)
  }
  if (!isAtRest(group)) throw new Error('no leader ends the change')
  witness.offers = group.sent.filter(({ kind }) => kind === 'snapshotOffer').length
  return witness
}

await t.test('random changes keep one leader a term and one history', async (t) => {
  const given = process.env['MEMBERSHIP_SEED']
  const seeds =
    given === undefined ? Array.from({ length: 40 }, (_, place) => place + 1) : [Number(given)]
  let changes = 0
  let offers = 0
  for (const seed of seeds) {
    try {
      const witness = run(seed)
      changes += witness.configurations.size
      offers += witness.offers
    } catch (thrown) {
      t.error(thrown, `MEMBERSHIP_SEED=${String(seed)}`)
      return
    }
  }
  if (given !== undefined) return
  t.ok(changes > 5 * seeds.length, `${String(changes)} configurations`)
  t.ok(offers > seeds.length / 2, `${String(offers)} offers of snapshots`)
})
