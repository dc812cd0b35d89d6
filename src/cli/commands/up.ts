import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { CountersignError } from '../../errors.js'
import { usage } from '../failures.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('[nodes...]', 'ids of the nodes to run; else all')
    .addHelpText('after', '\nEach node is a process of its own; Ctrl-C stops them cleanly.')
    .action(async (nodes: readonly string[]) => {
      const session = open()
      const { output, world, directory } = session
      const known = (await session.cluster()).nodes.map(({ id }) => id)
      const unknown = nodes.find((id) => !known.includes(id))
      if (unknown !== undefined) {
        throw usage(`There is no node ${unknown}.`, `Nodes of this cluster: ${known.join(', ')}.`)
      }
      const { runCluster } = await import('../../../cluster/launch.js')
      const code = await runCluster({
        directory,
        calledAs: 'countersign',
        ...(nodes.length === 0 ? {} : { nodes }),
        next: [
          '',
          'In another terminal:',
          '  countersign status',
          '  countersign propose --as alice --set /prod/payments/timeout_ms=2500 --title "Raise the timeout"',
          'Ctrl-C stops the nodes.',
        ],
        print: (line) => {
          if (!output.json) world.stdout.write(`${line}\n`)
        },
        serving: (file, leader) => {
          if (!output.json) return
          const started = {
            event: 'started',
            name: file.name,
            clusterId: file.clusterId,
            leader: leader ?? null,
            nodes: file.nodes.map(({ id, client, status }) => ({ id, client, status })),
          }
          output.result(started, () => [])
        },
      })
      if (code !== 0) {
        throw new CountersignError('NODES_ENDED', 'Every node has ended by itself.', {
          details: { logs: `${directory}/logs` },
        })
      }
      if (output.json) output.result({ event: 'stopped' }, () => [])
    })
}
