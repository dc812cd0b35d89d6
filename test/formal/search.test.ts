/** A search finds nothing on the real core, and what is planted it finds. */
import t from 'tap'
import type { Message } from '../../src/raft/index.js'
import { beginnings } from './beginnings.js'
import type { Bounds } from './model.js'
import { Names } from './names.js'
import { search } from './search.js'
import { SeenWorlds } from './seen-worlds.js'

const [rest] = beginnings
if (rest === undefined) throw new Error('there is no beginning')

const bounds: Bounds = { nodes: 3, terms: 5, entries: 4, crashes: 1, messages: 3 }

await t.test('nothing is found near any beginning', (t) => {
  for (const beginning of beginnings) {
    const { fault, worlds } = search({ bounds, beginning, worldsMax: 2_000 })
    t.equal(fault, null, beginning.name)
    t.ok(worlds >= 2_000, 'as many worlds as were asked for')
  }
  t.end()
})

await t.test('all worlds of a small bound are seen, for three nodes', (t) => {
  const small: Bounds = { nodes: 3, terms: 1, entries: 1, crashes: 0, messages: 1 }
  const { exhausted, fault, worlds } = search({ bounds: small, beginning: rest, worldsMax: 50_000 })
  t.comment(`${String(worlds)} worlds`)
  t.equal(fault, null)
  t.ok(exhausted)
  t.ok(worlds > 10_000)
  t.end()
})

/** Tells a candidate that it got a vote which was refused. */
const lying = (message: Message): Message =>
  message.kind === 'voteReply' ? { ...message, granted: true } : message

await t.test('two leaders of one term are found, and the way to them', (t) => {
  const narrow: Bounds = { nodes: 2, terms: 1, entries: 1, crashes: 0, messages: 2 }
  const { fault, worlds } = search({
    ...{ bounds: narrow, beginning: rest, worldsMax: 50_000 },
    distort: lying,
  })
  t.comment(`${String(worlds)} worlds`)
  t.match(fault?.message, /two leaders/)
  const actions = fault?.actions ?? []
  t.ok(actions.length >= 6)
  // Each message is sent to who receives it: the names on the way are those of one world.
  for (const { node, message } of actions) {
    if (message !== null) t.match(message, `"to":"${node}"`)
  }
  t.end()
})

await t.test('namings are a group', (t) => {
  const names = new Names(3)
  t.equal(names.count, 6)
  for (let a = 0; a < names.count; a += 1) {
    t.equal(names.product(a, names.inverse(a)), 0)
    for (let b = 0; b < names.count; b += 1) {
      const oneByOne = names.renamed(names.renamed('c', b), a)
      t.equal(names.renamed('c', names.product(a, b)), oneByOne)
    }
  }
  t.end()
})

await t.test('a world is new once, however many there are', (t) => {
  const seen = new SeenWorlds()
  for (let at = 0; at < 100_000; at += 1) {
    if (!seen.add([at % 10, Math.floor(at / 10)])) t.fail(`${String(at)} was not there yet`)
  }
  t.equal(seen.count, 100_000)
  t.notOk(seen.add([3, 7]))
  t.end()
})
