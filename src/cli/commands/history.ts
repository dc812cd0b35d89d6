import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { countOption } from '../parse-count.js'
import { contentLine } from '../present/content.js'
import { plainJson } from '../present/plain-json.js'
import { timeText } from '../present/time.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<path>')
    .option('--limit <count>', 'at most so many, newest first', countOption, 50)
    .option('--local', 'answer from whichever node is asked; may be old')
    .action(async (path: string, options: { readonly limit: number; readonly local?: true }) => {
      const { output, client } = open()
      const { value, revision } = await (
        await client()
      ).history(path, { limit: options.limit, local: options.local === true })
      const { style } = output
      output.result({ path, writes: plainJson(value), revision }, () =>
        value.flatMap((write) => [
          `${style.bold(`revision ${String(write.modRevision)}`)}  ${timeText(write.at)}  ${
            write.changeId === '' ? 'genesis' : `change ${write.changeId.slice(0, 8)}`
          }  ${escapeLine(write.title)}`,
          `  ${contentLine(write.content)}`,
          ...(write.author === ''
            ? []
            : [
                `  by ${escapeLine(write.author)}, approved by ${write.approvers.map(escapeLine).join(', ')}`,
              ]),
        ]),
      )
      if (value.length === 0) output.note(`${escapeLine(path)} was never written.`)
    })
}
