import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { contentLine, contentLines } from '../present/content.js'
import { plainJson } from '../present/plain-json.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<path>', 'e.g. /prod/payments/timeout_ms')
    .option('--local', 'answer from whichever node is asked; may be old')
    .option('--raw', 'a string without its quotes, exactly as it is stored')
    .action(async (path: string, options: { readonly local?: true; readonly raw?: true }) => {
      const { output, client, world } = open()
      const { value: entry, revision } = await (
        await client()
      ).get(path, { local: options.local === true })
      const { content } = entry
      const raw =
        content.kind === 'value' || content.kind === 'detached' ? content.value : undefined
      if (options.raw === true && !output.json && typeof raw === 'string') {
        world.stdout.write(`${raw}\n`)
        return
      }
      output.result({ entry: plainJson(entry), revision }, () =>
        options.raw === true ? [contentLine(content)] : contentLines(content),
      )
      if (world.stdout.isTerminal) {
        const from = entry.changeId === '' ? 'genesis' : `change ${entry.changeId.slice(0, 8)}`
        output.note(output.remarkStyle.dim(`revision ${String(entry.modRevision)}, from ${from}`))
      }
    })
}
