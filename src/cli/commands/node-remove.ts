import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { badInput } from '../failures.js'
import { nodePath, readNodes } from '../governed-nodes.js'
import { proposeNodes, reportAsItIs } from '../node-change.js'
import { dropClusterNode } from '../update-cluster-file.js'

interface Options {
  readonly title?: string
  readonly reason?: string
}

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<node>', 'id of the node')
    .option('--title <text>', 'title of the change')
    .option('--reason <text>', 'why; the whole text travels with the change')
    .addHelpText(
      'after',
      '\nCalled again when the change is active, it takes the node out of cluster.json.',
    )
    .action(async (id: string, options: Options) => {
      const session = open()
      const client = await session.client()
      const members = await readNodes(client)
      const known = members.map((node) => node.id)
      if (!known.includes(id)) {
        if (await dropClusterNode(session.directory, id)) {
          reportAsItIs(session, { node: id }, `${id} is no member; cluster.json forgets it.`)
          return
        }
        throw badInput(`There is no node ${id}.`, `Nodes: ${known.join(', ')}.`)
      }
      await proposeNodes(
        session,
        client,
        {
          about: id,
          ops: [{ action: 'delete', path: nodePath(id) }],
          title: `Remove the node ${id}`,
          next: [
            'When it is active the node stops taking part; then stop its process for good.',
            `Its id is not used again. Tidy up: countersign node remove ${id}`,
          ],
          json: { node: id },
        },
        options,
      )
    })
}
