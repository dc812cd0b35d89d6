import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'

export function define(command: Command, open: OpenSession): void {
  command
    .requiredOption('--config <file>', 'the node.json that `countersign init` made')
    .addHelpText(
      'after',
      '\nThe node logs JSON lines on stdout and stops cleanly on SIGTERM or SIGINT.',
    )
    .action(async (options: { readonly config: string }) => {
      const session = open()
      // Only this command loads the server.
      const { runNode } = await import('../../node/index.js')
      await runNode(session.resolve(options.config))
    })
}
