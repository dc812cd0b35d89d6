import type { Command } from 'commander'
import type { Person, PersonKey } from '../../approval/index.js'
import type { KeyStanding } from '../../machine/index.js'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { readGovernance, type Governance } from '../governed-documents.js'
import { plainJson } from '../present/plain-json.js'
import { timeText } from '../present/time.js'
import type { Style } from '../style.js'
import { table } from '../table.js'

export function define(command: Command, open: OpenSession): void {
  command
    .option('--local', 'answer from whichever node is asked; may be old')
    .action(async (options: { readonly local?: true }) => {
      const session = open()
      const { output } = session
      const { genesis } = await session.cluster()
      const found = await readGovernance(await session.client(), genesis, {
        local: options.local === true,
      })
      output.result(
        {
          people: found.people.map((person) => ({
            ...person,
            groups: groupsOf(found, person),
            keys: plainJson(
              keysOf(found, person).map((key) => ({ ...key, ...found.standings.get(key.keyId) })),
            ),
          })),
          groups: plainJson(found.groups),
          revision: found.revision,
        },
        () => humanLines(found, output.style),
      )
    })
}

function humanLines(found: Governance, style: Style): string[] {
  const rows = found.people.map((person) => [
    escapeLine(person.id),
    person.kind,
    person.status === 'active' ? style.green('active') : style.yellow(person.status),
    groupsOf(found, person).map(escapeLine).join(',') || '-',
    keysOf(found, person)
      .map((key) => keyText(key, found.standings.get(key.keyId), style))
      .join('  ') || style.yellow('no key'),
    remark(person),
  ])
  const groups = found.groups.map((group) => [
    escapeLine(group.name),
    group.members.map(escapeLine).join(', ') || '-',
    escapeLine(group.purpose),
  ])
  return [
    ...table(['PERSON', 'KIND', 'STATUS', 'GROUPS', 'KEYS', ''], rows),
    '',
    ...table(['GROUP', 'MEMBERS', 'PURPOSE'], groups),
  ]
}

function keyText(key: PersonKey, standing: KeyStanding | undefined, style: Style): string {
  const text = `${key.keyId.slice(0, 8)} (${key.uses.join(', ')})`
  if (key.status !== 'active') return style.dim(`${text} revoked`)
  if (standing?.state === 'pending') return `${text} ${style.yellow('pending')}`
  if (standing?.state !== 'waiting') return text
  const { countsFrom } = standing
  const until = countsFrom === undefined ? 'its registration is stamped' : timeText(countsFrom)
  return `${text} ${style.yellow(`waits until ${until}`)}`
}

function remark(person: Person): string {
  const parts: string[] = []
  if (person.displayName !== person.id) parts.push(escapeLine(person.displayName))
  if (person.sponsor !== undefined) parts.push(`sponsor ${escapeLine(person.sponsor)}`)
  if (person.scope !== undefined) parts.push(`scope ${person.scope.map(escapeLine).join(', ')}`)
  return parts.join('; ')
}

function groupsOf(found: Governance, person: Person): string[] {
  return found.groups.filter(({ members }) => members.includes(person.id)).map(({ name }) => name)
}

function keysOf(found: Governance, person: Person): PersonKey[] {
  return found.keys.filter((key) => key.person === person.id)
}
