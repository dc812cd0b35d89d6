/** What `npm run chaos` was asked for. */
import { parseArgs } from 'node:util'
import { nemeses, nemesisNames } from './nemeses/index.js'
import type { Nemesis, Settings } from './nemesis.js'

export interface Wanted {
  readonly seconds: number
  readonly seed: number
  readonly nodes: number
  readonly nemeses: readonly Nemesis[]
  readonly json: boolean
  readonly keep: boolean
  readonly list: boolean
  /** Where the histories of clients go; absent: nowhere, unless a nemesis fails. */
  readonly history: string | undefined
  /** Where the timeline goes; absent: the folder for temporary files. */
  readonly html: string | undefined
  readonly settings: Settings
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `npm run chaos -- [options]

  --nemesis NAME[,NAME]  which faults, each on a cluster of its own; else all of them
  --seconds N            of faults for each nemesis (20)
  --seed S               repeats a plan; else by the clock
  --nodes N              3, 5 or 7 (3)
  --html FILE            where the timeline goes; else a temporary file
  --history FILE         what clients did and saw, as JSON lines; of several nemeses one file each
  --other-build DIR      dist/ of another version, for mixed-version; else an older commit is built
  --without-sync         the nodes of power-cut sync nothing: the run must fail
  --json                 one JSON line a nemesis on stdout; the text goes to stderr
  --keep                 leave the folder of the cluster: data and logs of the nodes
  --list                 say which nemeses there are`

/** Throws UsageError. */
export function parseWanted(parameters: readonly string[]): Wanted {
  const values = parse(parameters)
  const names = values.nemesis?.split(',') ?? nemesisNames
  return {
    seconds: positive('seconds', values.seconds ?? '20'),
    seed: positive('seed', values.seed ?? String(1 + (Date.now() % 999_999))),
    nodes: positive('nodes', values.nodes ?? '3'),
    nemeses: names.map(nemesisOf),
    json: values.json ?? false,
    keep: values.keep ?? false,
    list: values.list ?? false,
    html: values.html,
    history: values.history,
    settings: {
      ...(values['other-build'] !== undefined && { otherBuild: values['other-build'] }),
      ...(values['without-sync'] && { withoutSync: true }),
    },
  }
}

function parse(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        nemesis: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        nodes: { type: 'string' },
        html: { type: 'string' },
        history: { type: 'string' },
        'other-build': { type: 'string' },
        'without-sync': { type: 'boolean' },
        json: { type: 'boolean' },
        keep: { type: 'boolean' },
        list: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function nemesisOf(name: string): Nemesis {
  const found = nemeses.get(name)
  if (found !== undefined) return found
  throw new UsageError(`There is no nemesis ${name}. There are ${nemesisNames.join(', ')}.`)
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new UsageError(`--${name} must be a whole number above 0, not ${text}.`)
}
