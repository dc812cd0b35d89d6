import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startApi } from '../../src/api/index.js'
import {
  authorityPem,
  issueNodeCertificate,
  makeAuthority,
} from '../../src/cli/founding/authority.js'
import { connect, type CountersignClient } from '../../src/client/index.js'
import { FakeCluster } from '../api/fake-cluster.js'
import { callClock, plentyMs } from './call-clock.js'

await t.test('TLS: the address that is dialled, under the cluster’s own CA', async (t) => {
  const [ours, theirs] = await Promise.all(
    ['ours', 'theirs'].map((name) => makeAuthority(name, { wallMs: Date.now() })),
  )
  if (ours === undefined || theirs === undefined) throw new Error('no authority')
  const caOf = async (authority: typeof ours): Promise<string> =>
    (await authorityPem(authority)).certificate
  const cluster = new FakeCluster({ size: 2 })
  const listening = async (id: string, names: readonly string[]): Promise<string> => {
    const pair = await issueNodeCertificate(ours, { id, names: [...names] })
    const node = cluster.node(id)
    const tls = {
      certificate: Buffer.from(pair.certificate),
      key: Buffer.from(pair.privateKey),
    }
    const api = await startApi({ node, listen: '127.0.0.1:0', tls })
    t.teardown(() => api.stop())
    node.clientAddress = api.address
    return api.address
  }
  const client = (options: { addresses: string[]; ca: string }): CountersignClient => {
    const made = connect({ ...options, deadlineMs: plentyMs })
    t.teardown(() => {
      made.close()
    })
    return made
  }
  const first = await listening('node-1', ['127.0.0.1', 'localhost'])
  const second = await listening('node-2', ['10.1.2.3'])
  const ca = await caOf(ours)

  const good = client({ addresses: [first], ca })
  t.match(await good.status(), { nodeId: 'node-1' })
  const byName = client({ addresses: [first.replace('127.0.0.1', 'localhost')], ca })
  t.match(await byName.status(), { nodeId: 'node-1' })

  // They answered the handshake: to look for a node that does not run would be a false trail.
  const code = 'CERTIFICATE_MISFIT'
  await t.rejects(
    client({ addresses: [first], ca: await caOf(theirs) }).status(first),
    { code, message: /not signed by the given CA/ },
    'another CA',
  )
  await t.rejects(
    client({ addresses: [second], ca }).status(second),
    { code, message: /does not name this address/ },
    'a certificate that does not name the address',
  )
  const plain = http.createServer().listen(0, '127.0.0.1')
  t.teardown(() => plain.close())
  await once(plain, 'listening')
  const { port } = plain.address() as AddressInfo
  const wrongPort = `127.0.0.1:${String(port)}`
  await t.rejects(
    client({ addresses: [wrongPort], ca }).status(wrongPort),
    { code, message: /does not speak TLS/ },
    'the port of the status page',
  )

  // Nobody of another cluster becomes one of this by waiting: no call waits for its deadline.
  const lost = client({ addresses: [first, second], ca: await caOf(theirs) })
  const nothing = new Uint8Array()
  const envelope = { type: '', body: nothing, signature: nothing, keyId: '' }
  const message = { envelope, detached: [] }
  await t.rejects(lost.get('/prod/a'), { code, details: { tried: { [first]: /CA/ } } }, 'a read')
  await t.rejects(lost.propose(message), { code }, 'a write')
  await t.rejects(lost.proposeStream().submit(message), { code }, 'a stream of writes')
  const resumed: string[] = []
  await t.rejects(
    async () => {
      for await (const event of lost.watch({ prefix: '/' })) resumed.push(event.kind)
    },
    { code },
    'a watch',
  )
  t.same(resumed, ['resuming'], 'the other address was asked too')
  await t.rejects(
    connect({ addresses: [first], plaintext: true, deadlineMs: 300 }).status(first),
    { code: 'UNREACHABLE' },
    'no TLS to a TLS port',
  )
  t.throws(() => connect({ addresses: [first] }), { code: 'INPUT_INVALID' })

  // A hint outside the list is followed when the certificate passes, and only then.
  cluster.elect('node-2')
  const endTime = callClock(t)
  const { first: follower } = cluster
  let asked = 0
  const notLeader = follower.notLeader.bind(follower)
  follower.notLeader = () => {
    asked += 1
    // Asked again: the address that was hinted at did not pass.
    if (asked === 2) endTime()
    return notLeader()
  }
  await t.rejects(good.get('/prod/a'), { code: 'NOT_LEADER' })
  const renewed = await listening('node-2', ['127.0.0.1'])
  t.equal(cluster.node('node-2').clientAddress, renewed)
  await t.rejects(good.get('/prod/a'), { code: 'UNKNOWN_PATH' }, 'answered by the leader')
})
