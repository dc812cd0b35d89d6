import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { badInput, usage } from '../failures.js'
import { readNodes } from '../governed-nodes.js'
import { addNewNodeOptions, proposeNewNode, type NewNodeOptions } from '../node-change.js'

interface Options extends NewNodeOptions {
  readonly with: string
}

export function define(command: Command, open: OpenSession): void {
  addNewNodeOptions(
    command
      .argument('<node>', 'the node that goes')
      .requiredOption('--with <id>', 'the id of the new node; ids are used once'),
  )
    .addHelpText(
      'after',
      '\nFor a node whose disk is lost or whose machine is gone. The old one need not run.',
    )
    .action(async (old: string, options: Options) => {
      const session = open()
      if (options.with === old) {
        throw usage(
          'The new node needs an id of its own.',
          'Ids are used once: choose a fresh one.',
        )
      }
      const members = await readNodes(await session.client())
      const known = members.map(({ id }) => id)
      if (!known.includes(old) && !known.includes(options.with)) {
        throw badInput(`There is no node ${old}.`, `Nodes: ${known.join(', ')}.`)
      }
      await proposeNewNode(session, options.with, options, old)
    })
}
