/** A fake cluster with its client ports on loopback, and a client; all of it closed at the end. */
import type { Test } from 'tap'
import { startApi, type Api, type ApiLimits } from '../../src/api/index.js'
import {
  composePropose,
  connect,
  readCurrent,
  sign,
  type CountersignClient,
  type ProposedOp,
  type SignedMessage,
} from '../../src/client/index.js'
import { signerOf, type WorldOptions } from '../machine/world.js'
import { FakeCluster, type FakeNode } from './fake-cluster.js'

export interface Stage {
  readonly cluster: FakeCluster
  readonly client: CountersignClient
  /** In order of the nodes. */
  readonly addresses: readonly string[]
  readonly apis: readonly Api[]
  /** Starts the client port of a node again, on its old address. */
  restart(node: FakeNode): Promise<Api>
  propose(by: string, ops: readonly ProposedOp[]): Promise<SignedMessage>
}

export async function stage(
  t: Test,
  options: WorldOptions & {
    readonly size?: number
    readonly limits?: Partial<ApiLimits>
    readonly deadlineMs?: number
    readonly watchSilenceMs?: number
  } = {},
): Promise<Stage> {
  const cluster = new FakeCluster(options)
  const limits = { stopGraceMs: 100, watchProgressMs: 50, ...options.limits }
  const start = async (node: FakeNode): Promise<Api> => {
    const listen = node.clientAddress === '' ? '127.0.0.1:0' : node.clientAddress
    const api = await startApi({ node, listen, tls: 'plaintext', limits })
    node.clientAddress = api.address
    t.teardown(() => api.stop())
    return api
  }
  const apis: Api[] = []
  for (const node of cluster.nodes) apis.push(await start(node))
  const addresses = cluster.nodes.map(({ clientAddress }) => clientAddress)
  const client = connect({
    addresses,
    plaintext: true,
    deadlineMs: options.deadlineMs ?? 30_000,
    ...(options.watchSilenceMs === undefined ? {} : { watchSilenceMs: options.watchSilenceMs }),
  })
  t.teardown(() => {
    client.close()
  })
  return {
    cluster,
    client,
    addresses,
    apis,
    restart: start,
    propose: async (by, ops) => proposal(client, cluster, by, ops),
  }
}

export async function proposal(
  client: CountersignClient,
  cluster: FakeCluster,
  by: string,
  ops: readonly ProposedOp[],
): Promise<SignedMessage> {
  const { base } = await readCurrent(
    client,
    ops.map(({ path }) => path),
  )
  const signer = signerOf(by)
  const composed = composePropose({
    clusterId: cluster.world.clusterId,
    person: by,
    keyId: signer.keyId,
    title: 'A change',
    ops,
    base,
  })
  return sign(composed, signer)
}
