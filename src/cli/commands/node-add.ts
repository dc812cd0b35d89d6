import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { addNewNodeOptions, proposeNewNode, type NewNodeOptions } from '../node-change.js'

export function define(command: Command, open: OpenSession): void {
  addNewNodeOptions(command.argument('<node>', 'a new id: a-z, 0-9 and "-"; ids are used once'))
    .addHelpText(
      'after',
      '\nMakes keys, certificate and data directory, then proposes the node. Interrupted, it goes on\nwhere it was: call it again. A learner is promoted by the same command without --learner.',
    )
    .action(async (id: string, options: NewNodeOptions) => {
      await proposeNewNode(open(), id, options)
    })
}
