import t, { type Test } from 'tap'
import { CountersignError } from '../../src/errors.js'
import { term } from '../../src/raft/index.js'
import { askForTransfer, type PeersOptions } from '../../src/transport/index.js'
import { group, newAuthority, startPeers, tlsOf, type Started } from './nodes.js'

const deadlineMs = 10_000

interface Pair {
  readonly first: PeersOptions
  readonly second: PeersOptions
  readonly asked: Started
}

async function pair(t: Test): Promise<Pair> {
  const [first, second] = await group(2)
  if (first === undefined || second === undefined) throw new Error('no options')
  const asked = await startPeers(t, first)
  asked.seen.leaderKnown = () =>
    Promise.resolve({ asked: true, leader: 'node-2', term: term(7), address: second.listen })
  return { first, second, asked }
}

const place = ({ nodeId: id, listen: address }: PeersOptions) => ({ id, address })

await t.test('a member may ask, also with the certificate of the node that it asks', async (t) => {
  const { first, second, asked } = await pair(t)
  for (const speaker of [second, first]) {
    const outcome = await askForTransfer(speaker, place(first), 'node-2', deadlineMs)
    t.match(outcome, { asked: true, leader: 'node-2', term: 7, address: second.listen })
  }
  await askForTransfer(second, place(first), null, deadlineMs)
  t.strictSame(
    asked.seen.happened.filter((one) => one.startsWith('transfer')),
    ['transfer to node-2', 'transfer to node-2', 'transfer to anybody'],
  )
})

await t.test('a refusal of the node arrives with its code and sentence', async (t) => {
  const { first, second, asked } = await pair(t)
  for (const code of ['TRANSFER_FAILED', 'INPUT_INVALID', 'NODE_STOPPING'] as const) {
    asked.seen.leaderKnown = () => Promise.reject(new CountersignError(code, `Because ${code}.`))
    const asking = askForTransfer(second, place(first), 'node-2', deadlineMs)
    await t.rejects(asking, { code, message: `Because ${code}.` })
  }
})

await t.test('who is no present member is not heard', async (t) => {
  const { first, second, asked } = await pair(t)
  const otherCa = await newAuthority('another')
  const strangers: Record<string, [PeersOptions, { readonly code: string }]> = {
    'a certificate of another CA': [
      { ...second, tls: { ...(await tlsOf(otherCa, 'node-2')), ca: second.tls.ca } },
      { code: 'UNREACHABLE' },
    ],
    'the name of another member': [{ ...second, nodeId: 'node-1' }, { code: 'PEER_REFUSED' }],
    'an id that is no member': [{ ...second, nodeId: 'node-9' }, { code: 'PEER_REFUSED' }],
    'another incarnation': [{ ...second, incarnation: 'f'.repeat(32) }, { code: 'PEER_REFUSED' }],
    'another cluster': [{ ...second, clusterId: 'c2'.repeat(32) }, { code: 'PEER_REFUSED' }],
  }
  for (const [name, [speaker, refusal]] of Object.entries(strangers)) {
    await t.rejects(askForTransfer(speaker, place(first), 'node-2', deadlineMs), refusal, name)
  }
  asked.peers.setMembers({
    members: [],
    removed: ['node-2'],
    anyone: false,
    joins: false,
    ownAddress: null,
  })
  await t.rejects(askForTransfer(second, place(first), null, deadlineMs), { code: 'NODE_REMOVED' })
  asked.peers.setMembers({ members: [], removed: [], anyone: true, joins: true, ownAddress: null })
  await t.rejects(askForTransfer(second, place(first), null, deadlineMs), { code: 'PEER_REFUSED' })
  await t.rejects(askForTransfer(first, place(first), null, deadlineMs), { code: 'PEER_REFUSED' })
  t.equal(asked.seen.happened.filter((one) => one.startsWith('transfer')).length, 0)
})

await t.test(
  'another node at that address is noticed before anything is asked of it',
  async (t) => {
    const { first, second, asked } = await pair(t)
    const asking = askForTransfer(second, { id: 'node-3', address: first.listen }, null, deadlineMs)
    await t.rejects(asking, { code: 'UNREACHABLE' })
    t.equal(asked.seen.happened.filter((one) => one.startsWith('transfer')).length, 0)
  },
)
