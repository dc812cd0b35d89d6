import type { Command } from 'commander'
import type { StatusView } from '../../client/index.js'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { readNodes } from '../governed-nodes.js'
import { promotionText } from '../present/promotion.js'
import { table } from '../table.js'

export function define(command: Command, open: OpenSession): void {
  command.action(async () => {
    const { output, client: connect } = open()
    const client = await connect()
    const nodes = await readNodes(client)
    const answers = await Promise.all(
      client.addresses.map((address) =>
        // A node that does not answer must not hold the list up.
        client.status(address, { deadlineMs: 2_000 }).catch(() => undefined),
      ),
    )
    const heard = new Map(answers.flatMap((one) => (one === undefined ? [] : [[one.nodeId, one]])))
    const rows = nodes.map((node) => ({ node, status: heard.get(node.id) }))
    const peers = [...heard.values()].find(({ role }) => role === 'leader')?.peers ?? []
    const lacks = new Map(peers.map((peer) => [peer.nodeId, promotionText(peer)]))
    const members = new Set(nodes.map(({ id }) => id))
    // Its process still runs, though the cluster has let it go: somebody should stop it.
    const left = [...heard.values()].filter(
      ({ nodeId, removed }) => removed && !members.has(nodeId),
    )
    output.result(
      {
        nodes: rows.map(({ node, status }) => ({
          id: node.id,
          address: node.address,
          role: node.role,
          owner: node.owner,
          incarnation: node.incarnation,
          answers: status !== undefined,
          notPromoted: lacks.get(node.id) ?? null,
          ...(status === undefined ? {} : { raftRole: nowOf(status), ready: status.ready }),
        })),
        removed: left.map(({ nodeId }) => nodeId),
      },
      () =>
        table(
          ['NODE', 'ADDRESS', 'MEMBER AS', 'OWNER', 'IS NOW', 'READY', ''],
          [
            ...rows.map(({ node, status }) => [
              node.id,
              escapeLine(node.address),
              node.role,
              escapeLine(node.owner),
              status === undefined ? 'no answer' : escapeLine(nowOf(status)),
              status === undefined ? '?' : status.ready ? 'yes' : 'no',
              notPromotedText(lacks.get(node.id)),
            ]),
            ...left.map(({ nodeId }) => [
              escapeLine(nodeId),
              '-',
              'none',
              '-',
              'removed',
              'no',
              '',
            ]),
          ],
        ),
    )
  })
}

function notPromotedText(lacks: string | null | undefined): string {
  return typeof lacks === 'string' ? `no voter yet: ${lacks}` : ''
}

/** A node that knows it is removed says so, whatever role its Raft stopped in. */
function nowOf(status: StatusView): string {
  return status.removed ? 'removed' : status.role
}
