import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { contentLine } from '../present/content.js'
import { plainJson } from '../present/plain-json.js'
import { cut, table } from '../table.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('[prefix]', 'a path, or a prefix ending in "/"', '/')
    .option('--local', 'answer from whichever node is asked; may be old')
    .option('--sys', 'with the prefix "/": show the documents of the system below /sys/ too')
    .action(async (prefix: string, options: { readonly local?: true; readonly sys?: true }) => {
      const { output, client, world } = open()
      const { value, revision } = await (
        await client()
      ).list(prefix, { local: options.local === true })
      const hideSystem = prefix === '/' && options.sys !== true && !output.json
      const entries = hideSystem ? value.filter((entry) => !entry.path.startsWith('/sys/')) : value
      output.result({ prefix, entries: plainJson(entries), revision }, () => {
        const width = Math.max(20, output.columns - 60)
        return table(
          ['PATH', 'REVISION', 'VALUE'],
          entries.map((entry) => [
            escapeLine(entry.path),
            String(entry.modRevision),
            world.stdout.isTerminal
              ? cut(contentLine(entry.content), width)
              : contentLine(entry.content),
          ]),
        )
      })
      const hidden = value.length - entries.length
      if (entries.length === 0) output.note(`Nothing is set below ${escapeLine(prefix)}.`)
      if (hidden > 0) output.note(`(and ${String(hidden)} below /sys/: add --sys)`)
    })
}
