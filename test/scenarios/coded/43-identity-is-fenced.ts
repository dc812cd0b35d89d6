/** A node is an id, a cluster and a disk: with another disk it is another node. */
import assert from 'node:assert/strict'
import { CountersignError } from '../../../src/errors.js'
import { certificateName, identifyPeer, type IdentityRules } from '../../../src/transport/hello.js'
import type { CodedScenario } from './scenario.js'

const rules: IdentityRules = {
  clusterId: 'c1'.repeat(32),
  peers: [{ id: 'node-2', address: '127.0.0.2:7101', incarnation: '22'.repeat(16) }],
  removed: ['node-9'],
}

/** What the other end says of itself, and the name in its certificate. */
function judged(
  nodeId: string,
  changes: { incarnation?: string; clusterId?: string } = {},
): string {
  const answer = identifyPeer(rules, null, {
    hello: {
      clusterId: rules.clusterId,
      nodeId,
      incarnation: '22'.repeat(16),
      protocolMin: 1,
      protocolMax: 1,
      featureLevelMax: 1,
      clientAddress: '127.0.0.2:7200',
      peerAddress: '127.0.0.2:7100',
      ...changes,
    },
    certificateNames: [certificateName(nodeId)],
  })
  if (answer.kind === 'peer') return answer.peer.id
  const { error } = answer
  assert.ok(error instanceof CountersignError)
  const { field } = error.details as { readonly field?: string }
  return field === undefined ? error.code : `${error.code} ${field}`
}

export const identityIsFenced: CodedScenario = {
  number: 43,
  name: '43-identity-is-fenced',
  title: 'a wiped disk under an old id, and the id of a removed node used again',
  source: 'O#2002, redisraft#2, O FAQ',
  proves: 'neither joins, so neither can vote a second time or acknowledge what it does not hold',
  run: () =>
    new Promise((resolve) => {
      assert.equal(judged('node-2'), 'node-2')
      assert.equal(judged('node-2', { incarnation: '33'.repeat(16) }), 'PEER_REFUSED incarnation')
      assert.equal(judged('node-2', { clusterId: 'c2'.repeat(32) }), 'PEER_REFUSED clusterId')
      assert.equal(judged('node-9'), 'NODE_REMOVED')
      assert.equal(judged('node-3'), 'PEER_REFUSED nodeId')
      resolve()
    }),
}
