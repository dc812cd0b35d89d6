/**
 * Client sessions (docs/decisions/015-client-sessions.md): however often the same bytes come, in
 * whatever order, before or after a restart from a snapshot, there is one effect and one result.
 */
import fc from 'fast-check'
import t from 'tap'
import { createMachine } from '../../src/machine/index.js'
import type { Applied, Command, CommandResult, StateWrite } from '../../src/machine/index.js'
import { messageDigest } from '../../src/signing/index.js'
import { play, scripts } from './script.js'
import { World, day } from './world.js'
import '../property-seed.js'

const humans = ['alice', 'bob', 'carol', 'dave']

interface Retry {
  /** Which of the entries so far comes again. */
  readonly entry: number
  /** Through a snapshot into a machine that has forgotten everything else. */
  readonly restart: boolean
}

const retries = fc.array(fc.record({ entry: fc.nat(), restart: fc.boolean() }), { maxLength: 30 })

await t.test('one effect and one result, in any interleaving of retries', (t) => {
  let repeated = 0
  fc.assert(
    fc.property(scripts, retries, (script, again: readonly Retry[]) => {
      const world = new World({ humans, genesis: { featureLevel: 2 } })
      const first = new Map<string, CommandResult>()
      play(world, script, (command) => (applied) => {
        note(first, command, applied)
      })
      const sent = world.log.flatMap((command) => (command?.kind === 'submit' ? [command] : []))
      for (const { entry, restart } of again) {
        const command = sent[entry % Math.max(1, sent.length)]
        const known = command === undefined ? undefined : first.get(digestOf(command))
        if (command === undefined || known === undefined) continue
        if (restart) restartFromSnapshot(world)
        const before = effectsOf(world)
        const { result } = world.apply(command)
        t.same(effectsOf(world), before, 'no second effect')
        if (result?.repeated === false) {
          // Forgotten after its `notAfter`, and refused from then on: only what had no effect is.
          t.equal(known.kind, 'refused')
          t.equal(result.kind, 'refused')
          t.ok(notAfterOf(command) < world.machine.logTime)
          continue
        }
        repeated += 1
        t.same(result, { ...known, repeated: true })
      }
    }),
    { numRuns: 40 },
  )
  t.ok(repeated > 50, 'most retries met their first result')
  t.end()
})

await t.test('a retry of what was accepted outlives `notAfter`', (t) => {
  const world = new World()
  const { command, result } = world.propose({ by: 'alice' })
  world.tick(2 * day)
  restartFromSnapshot(world)
  t.same(world.apply(command).result, { ...result, repeated: true })
  t.end()
})

type Submit = Extract<Command, { kind: 'submit' }>

function digestOf({ envelope }: Submit): string {
  return messageDigest(envelope.type, envelope.body)
}

function notAfterOf({ envelope }: Submit): number {
  return (JSON.parse(new TextDecoder().decode(envelope.body)) as { notAfter: number }).notAfter
}

function note(first: Map<string, CommandResult>, command: Command, applied: Applied): void {
  if (command.kind !== 'submit' || applied.result === null) return
  // Noise was said by nobody: it has no result to remember.
  if (applied.events.some(({ kind }) => kind === 'noise')) return
  const digest = digestOf(command)
  if (!first.has(digest)) first.set(digest, applied.result)
}

/** Everything that people can see, but for the counters of attempts. */
function effectsOf({ machine }: World): object {
  const { logTime, featureLevel, changesByState } = machine.status()
  return {
    status: { logTime, featureLevel, changesByState },
    entries: machine.reads.list('/', { limit: 1000 }),
    changes: machine.reads
      .changes({ limit: 1000 })
      .map(({ changeId }) => machine.reads.change(changeId)),
    written: [...machine.writtenSince(0, '/')],
    pending: machine.timedPending(),
  }
}

/** A machine that knows what the records say and nothing else. */
function restartFromSnapshot(world: World): void {
  const replay = createMachine(world.genesis, world.clusterId)
  const records = new Map<string, Uint8Array>()
  const keep = (writes: readonly StateWrite[]): void => {
    for (const { key, value } of writes) {
      if (value === null) records.delete(key)
      else records.set(key, value)
    }
  }
  keep(replay.genesisWrites())
  world.log.forEach((command, i) => {
    const index = i + 1
    const applied =
      command === null
        ? replay.skip(index, 1)
        : replay.apply({ index, term: 1, command }, () => true)
    keep(applied.writes)
  })
  const { appliedIndex: index, stateDigest: digest } = world.machine.status()
  world.machine = createMachine(world.genesis, world.clusterId)
  world.machine.replaceState(records, { index, digest })
}
