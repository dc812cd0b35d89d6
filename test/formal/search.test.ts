/** A small search finds nothing on the real core, and what is planted it finds. */
import t from 'tap'
import type { Message } from '../../src/raft/index.js'
import { beginnings } from './beginnings.js'
import { search } from './search.js'
import { World, type Bounds } from './world.js'

const bounds: Bounds = { nodes: 3, terms: 5, entries: 4, crashes: 1, messages: 3 }

await t.test('nothing is found near any beginning', (t) => {
  for (const beginning of beginnings) {
    const { fault, worlds } = search({ bounds, beginning, worldsMax: 300 })
    t.equal(fault, null, beginning.name)
    t.ok(worlds >= 300, 'as many worlds as were asked for')
  }
  t.end()
})

await t.test('all worlds of a small bound are seen', (t) => {
  const [beginning] = beginnings
  if (beginning === undefined) throw new Error('there is no beginning')
  const small: Bounds = { nodes: 2, terms: 1, entries: 1, crashes: 0, messages: 1 }
  const { exhausted, fault, worlds } = search({ bounds: small, beginning, worldsMax: 50_000 })
  t.comment(`${String(worlds)} worlds`)
  t.equal(fault, null)
  t.ok(exhausted)
  t.end()
})

/** Its network tells a candidate that it got a vote which was refused. */
class LyingNetwork extends World {
  protected override send(messages: readonly Message[]): void {
    super.send(
      messages.map((message) =>
        message.kind === 'voteReply' ? { ...message, granted: true } : message,
      ),
    )
  }
}

await t.test('two leaders of one term are found, and the way to them', (t) => {
  const [beginning] = beginnings
  if (beginning === undefined) throw new Error('there is no beginning')
  const narrow: Bounds = { nodes: 2, terms: 1, entries: 1, crashes: 0, messages: 2 }
  const first = new LyingNetwork(narrow, beginning)
  const { fault, worlds } = search({ bounds: narrow, beginning, worldsMax: 50_000, first })
  t.comment(`${String(worlds)} worlds`)
  t.match(fault?.message, /two leaders/)
  t.ok((fault?.actions.length ?? 0) >= 6)
  t.end()
})
