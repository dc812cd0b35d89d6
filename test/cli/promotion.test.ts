import t from 'tap'
import { promotionText } from '../../src/cli/present/promotion.js'

await t.test('why a learner is no voter yet, in words', (t) => {
  const peer = {
    nodeId: 'node-4',
    state: 'replicate',
    matchIndex: 1,
    nextIndex: 2,
    lag: 0,
    silentMs: 0,
    connected: true,
    votes: false,
    catchUpRounds: 2,
    waitsFor: 'slow',
    lastRoundMs: 1400,
    roundMsMax: 1000,
  } as const
  t.equal(promotionText(peer), 'last catch-up round took 1400 ms, not below 1000 ms')
  t.match(promotionText({ ...peer, waitsFor: 'silent' }), /does not answer/)
  t.match(promotionText({ ...peer, waitsFor: 'round' }), /first time/)
  t.match(promotionText({ ...peer, waitsFor: 'others' }), /another learner/)
  t.match(promotionText({ ...peer, waitsFor: 'majority' }), /too few of the new voters/)
  t.equal(promotionText({ ...peer, waitsFor: null }), null)
  t.end()
})
