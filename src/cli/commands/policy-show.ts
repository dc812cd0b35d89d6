import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { OpenSession } from '../command-module.js'
import { escapeLine, escapeLines } from '../escape.js'
import { CountersignError } from '../../errors.js'
import type { EntryView } from '../../machine/index.js'
import type { Json } from '../../signing/index.js'
import { plainJson } from '../present/plain-json.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('[name]', 'one policy; else all')
    .option('--local', 'answer from whichever node is asked; may be old')
    .addHelpText('after', '\nTo change one: edit the output and propose it with --set-file.')
    .action(async (name: string | undefined, options: { readonly local?: true }) => {
      const { output, client } = open()
      const { value, revision } = await (
        await client()
      ).list('/sys/policies/', { local: options.local === true })
      const wanted = value.filter(({ path }) => name === undefined || nameOf(path) === name)
      if (name !== undefined && wanted.length === 0) {
        const known = value.map(({ path }) => nameOf(path)).join(', ')
        throw new CountersignError('UNKNOWN_PATH', `There is no policy ${name}.`, {
          details: { next: `Policies in force: ${known}.` },
        })
      }
      output.result(
        {
          policies: wanted.map((entry) => ({
            name: nameOf(entry.path),
            modRevision: entry.modRevision,
            document: entry.content.kind === 'value' ? entry.content.value : null,
          })),
          revision,
        },
        () => wanted.flatMap((entry, index) => [...(index === 0 ? [] : ['---']), ...lines(entry)]),
      )
    })
}

function lines(entry: EntryView): string[] {
  const document = entry.content.kind === 'value' ? entry.content.value : plainJson(entry.content)
  const text = stringify(asWritten(document), { version: '1.2', schema: 'core', lineWidth: 100 })
  return [
    `# ${escapeLine(entry.path)}, revision ${String(entry.modRevision)}`,
    ...escapeLines(text).trimEnd().split('\n'),
  ]
}

/** Fields in the order in which people write them; a stored document has them by name. */
function asWritten(document: Json): Json {
  if (Array.isArray(document)) return (document as readonly Json[]).map(asWritten)
  if (typeof document !== 'object' || document === null) return document
  const place = (name: string): number => {
    const index = fieldOrder.indexOf(name)
    return index < 0 ? fieldOrder.length : index
  }
  return Object.fromEntries(
    Object.entries(document)
      .sort(([a], [b]) => place(a) - place(b))
      .map(([name, value]) => [name, asWritten(value)]),
  )
}

const fieldOrder: readonly string[] = [
  ...['format', 'rules', 'id', 'note', 'kind', 'paths', 'propose', 'groups', 'agents'],
  ...['count', 'group', 'need', 'medium', 'high', 'risk', 'veto', 'distinct', 'days', 'from', 'to'],
  ...['windows', 'open', 'use', 'weakeningDelay', 'for', 'watch', 'bake', 'plan', 'by', 'freeze'],
  ...['rollback', 'ttl', 'within', 'else', 'ratify'],
]

function nameOf(path: string): string {
  return path.slice('/sys/policies/'.length)
}
