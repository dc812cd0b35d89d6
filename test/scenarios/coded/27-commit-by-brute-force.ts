/** Random progress of followers: the commit index is what counting every subset would give. */
import assert from 'node:assert/strict'
import { logIndex, term, type Message } from '../../../src/raft/index.js'
import { World, entryOf, freshHardState } from '../world/world.js'
import type { CodedScenario } from './scenario.js'

const runs = 100

/** A linear congruential generator: each run is named by its number, and comes out the same. */
function drawing(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function oneRun(seed: number): void {
  const draw = drawing(seed)
  const others = Array.from({ length: 1 + draw(6) }, (_, position) => String(position + 2))
  const oldEntries = draw(4)
  const newEntries = draw(6)
  const world = new World(null)
  world.found('voters', ['1'])
  world.found('played', others)
  const old = Array.from({ length: oldEntries }, (_, position) =>
    entryOf({ index: logIndex(position + 1), term: term(1) }),
  )
  world.lay('1', { ...freshHardState, term: term(1) }, old)
  const hear = (message: Message): void => world.step('1', { kind: 'receive', message })
  world.tick([world.replica('1')], 200)
  for (const kind of ['preVoteReply', 'voteReply'] as const) {
    for (const from of others) hear({ kind, from, to: '1', term: term(2), granted: true })
  }
  for (let made = 0; made < newEntries; made += 1) {
    world.step('1', { kind: 'propose', id: made, payload: new Uint8Array(1) })
  }
  const { core } = world.replica('1')
  const last = core.status().lastIndex
  const matches = new Map(others.map((id) => [id, 0]))
  for (let step = 0; step < 4 * others.length; step += 1) {
    const from = others[draw(others.length)] ?? ''
    const matchIndex = logIndex(draw(last + 1))
    matches.set(from, Math.max(matches.get(from) ?? 0, matchIndex))
    hear({
      kind: 'appendReply',
      from,
      to: '1',
      term: term(2),
      session: world.wire.sessionOf('1', from),
      result: { kind: 'matched', matchIndex },
    })
    const expected = committedBySubsets([last, ...matches.values()], oldEntries + 1)
    assert.equal(core.status().commitIndex, expected, `run ${String(seed)}, step ${String(step)}`)
  }
}

/** The greatest index that all members of some majority hold; nothing below the own term's first. */
function committedBySubsets(held: readonly number[], termStart: number): number {
  let greatest = 0
  for (let subset = 0; subset < 2 ** held.length; subset += 1) {
    const members = held.filter((_, position) => (subset & (1 << position)) !== 0)
    if (members.length * 2 > held.length) greatest = Math.max(greatest, Math.min(...members))
  }
  return greatest >= termStart ? greatest : 0
}

export const commitByBruteForce: CodedScenario = {
  number: 27,
  name: '27-commit-by-brute-force',
  title: 'random progress of the followers of a leader',
  source: 'O#1802',
  proves: 'the commit index equals the one found by trying every majority',
  run: () =>
    new Promise((resolve) => {
      for (let seed = 1; seed <= runs; seed += 1) oneRun(seed)
      resolve()
    }),
}
