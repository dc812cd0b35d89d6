import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { usage } from '../failures.js'

export function define(command: Command, open: OpenSession): void {
  command
    // Not a required option of commander: that would be asked of `node add` and the others too.
    .option('--config <file>', 'the node.json that `countersign init` or `node add` made')
    .addHelpText(
      'after',
      '\nThe node logs JSON lines on stdout and stops cleanly on SIGTERM or SIGINT.',
    )
    .action(async (options: { readonly config?: string }) => {
      const session = open()
      if (options.config === undefined) {
        throw usage(
          "Required option '--config <file>' not specified.",
          'See `countersign node --help`.',
        )
      }
      // Only this command loads the server.
      const { runNode } = await import('../../node/index.js')
      await runNode(session.resolve(options.config))
    })
}
