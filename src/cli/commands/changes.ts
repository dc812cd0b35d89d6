import type { Command } from 'commander'
import { changeStates } from '../change-states.js'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { usage } from '../failures.js'
import { countOption } from '../parse-count.js'
import { plainJson } from '../present/plain-json.js'
import { stateText } from '../present/state.js'
import { distanceText } from '../present/time.js'
import { gather } from '../shared-options.js'
import { cut, table } from '../table.js'
import type { ChangeState } from '../../approval/index.js'

/** A revision can be superseded, by the next one of its change; no change ends that way. */
const listedStates = changeStates.filter((state) => state !== 'SUPERSEDED')

interface Options {
  readonly state?: readonly string[]
  readonly open?: true
  readonly author?: string
  readonly path?: string
  readonly limit: number
  readonly local?: true
}

export function define(command: Command, open: OpenSession): void {
  command
    .option('--open', 'only those that wait: OPEN and APPROVED')
    .option('--state <state>', `one of ${listedStates.join(', ')}; repeatable`, gather)
    .option('--author <person>', 'only changes that this person proposed')
    .option('--path <prefix>', 'only changes that touch this path or something below it')
    .option('--limit <count>', 'at most so many, newest first', countOption, 50)
    .option('--local', 'answer from whichever node is asked; may be old')
    .action(async (options: Options) => {
      const { output, client, world } = open()
      const states = statesOf(options)
      const { value, revision } = await (
        await client()
      ).listChanges({
        limit: options.limit,
        local: options.local === true,
        ...(states.length === 0 ? {} : { states }),
        ...(options.author === undefined ? {} : { author: options.author }),
        ...(options.path === undefined ? {} : { prefix: options.path }),
      })
      output.result({ changes: plainJson(value), revision }, () =>
        table(
          ['CHANGE', 'STATE', 'YES', 'AUTHOR', 'AGE', 'TITLE'],
          value.map((change) => [
            change.changeId.slice(0, 8),
            stateText(change.state, output.style),
            String(change.approvals),
            escapeLine(change.author),
            distanceText(change.openedAt, Math.max(world.wallMs(), change.openedAt)),
            world.stdout.isTerminal
              ? cut(escapeLine(change.title), Math.max(20, output.columns - 50))
              : escapeLine(change.title),
          ]),
        ),
      )
      if (value.length === 0) output.note('No such changes.')
    })
}

function statesOf(options: Options): ChangeState[] {
  const wanted = options.open === true ? ['OPEN', 'APPROVED'] : (options.state ?? [])
  return wanted.map((text) => {
    const state = listedStates.find((each) => each === text.toUpperCase())
    if (state === undefined) throw usage(`"${text}" is not a state: ${listedStates.join(', ')}.`)
    return state
  })
}
