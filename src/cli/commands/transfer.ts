import path from 'node:path'
import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { usage } from '../failures.js'
import { parseTime } from '../parse-time.js'
import type { Session } from '../session.js'

interface Options {
  readonly to?: string
  readonly config?: string
}

export function define(command: Command, open: OpenSession): void {
  command
    .option('--to <node>', 'the voter that shall lead; else the one that is furthest')
    .option(
      '--config <file>',
      'node.json of any member, whose certificate is used; else the first node of <dir>',
    )
    .addHelpText(
      'after',
      '\nIt speaks to the peer port of the nodes with the certificate of a member, so it runs where' +
        '\nthe files of a node are.',
    )
    .action(async (options: Options) => {
      const session = open()
      const { output } = session
      const file = await configOf(session, options)
      output.progress('asking the leader to hand over ...')
      // Only this command and `node` load the server.
      const { transferLeadership } = await import('../../node/index.js')
      const result = await transferLeadership(file, {
        to: options.to ?? null,
        deadlineMs: parseTime(session.options.timeout ?? '10s'),
      })
      output.result({ ...result }, () => [
        result.leader === result.before
          ? `${escapeLine(result.leader)} leads already, in term ${String(result.term)}`
          : `${escapeLine(result.leader)} leads, in term ${String(result.term)}; before it ${escapeLine(result.before)}`,
      ])
    })
}

async function configOf(session: Session, options: Options): Promise<string> {
  if (options.config !== undefined) return session.resolve(options.config)
  const { nodes } = await session.cluster()
  const first = nodes.find(({ joined }) => joined !== true) ?? nodes[0]
  if (first !== undefined) return path.join(session.directory, 'nodes', first.id, 'node.json')
  throw usage('The cluster directory names no node.', 'Say whose files to use: `--config FILE`.')
}
