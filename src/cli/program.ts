/**
 * The command line as a whole: the table of commands, the options that all of them share, and how a
 * run ends. A command's own file is loaded only when that command is called, so that `get` never
 * loads a server.
 */
import { Command, CommanderError } from 'commander'
import { CountersignError } from '../errors.js'
import type { CommandModule } from './command-module.js'
import { usage } from './failures.js'
import { createOutput } from './output.js'
import { createSession, type Session } from './session.js'
import { addSharedOptions } from './shared-options.js'
import { toExitCode } from './to-exit-code.js'
import { version } from './version.js'
import type { World } from './world.js'

interface Entry {
  readonly summary: string
  readonly group: string
  readonly load?: () => Promise<CommandModule>
  readonly commands?: Readonly<Record<string, Entry>>
}

const setUp = 'Set up and run:'
const changing = 'Propose and decide:'
const reading = 'Look:'
const governing = 'People, keys, policies:'

const commands: Readonly<Record<string, Entry>> = {
  init: {
    group: setUp,
    summary: 'make the material of a new cluster: CA, certificates, keys, genesis',
    load: () => import('./commands/init.js'),
  },
  up: {
    group: setUp,
    summary: 'run the nodes of this directory in one terminal',
    load: () => import('./commands/up.js'),
  },
  node: {
    group: setUp,
    summary: 'run one node in this process; add, replace, remove, list nodes',
    load: () => import('./commands/node.js'),
    commands: {
      add: {
        group: setUp,
        summary: 'make the material of a new node and propose it as a member',
        load: () => import('./commands/node-add.js'),
      },
      replace: {
        group: setUp,
        summary: 'propose a new node in the place of another, in one change',
        load: () => import('./commands/node-replace.js'),
      },
      remove: {
        group: setUp,
        summary: 'propose that a node is no member any more',
        load: () => import('./commands/node-remove.js'),
      },
      list: {
        group: setUp,
        summary: 'the nodes by the approved documents, and what each says of itself',
        load: () => import('./commands/node-list.js'),
      },
    },
  },
  status: {
    group: setUp,
    summary: 'show every node: role, term, lag, state digest',
    load: () => import('./commands/status.js'),
  },
  transfer: {
    group: setUp,
    summary: 'hand leadership over to another node, for maintenance of the leader',
    load: () => import('./commands/transfer.js'),
  },
  propose: {
    group: changing,
    summary: 'sign and send a new change',
    load: () => import('./commands/propose.js'),
  },
  preview: {
    group: changing,
    summary: 'the checks and the diff of a change, without writing anything',
    load: () => import('./commands/preview.js'),
  },
  revise: {
    group: changing,
    summary: 'sign and send the next revision of a change, on the current base',
    load: () => import('./commands/revise.js'),
  },
  approve: {
    group: changing,
    summary: 'look at a change and sign an approval of exactly this content',
    load: () => import('./commands/approve.js'),
  },
  reject: {
    group: changing,
    summary: 'say no, with a reason',
    load: () => import('./commands/reject.js'),
  },
  revoke: {
    group: changing,
    summary: 'take your own approval back',
    load: () => import('./commands/revoke.js'),
  },
  withdraw: {
    group: changing,
    summary: 'close a change that you proposed',
    load: () => import('./commands/withdraw.js'),
  },
  activate: {
    group: changing,
    summary: 'put an approved change of manual mode into effect',
    load: () => import('./commands/activate.js'),
  },
  changes: {
    group: reading,
    summary: 'list changes, newest first',
    load: () => import('./commands/changes.js'),
  },
  show: {
    group: reading,
    summary: 'one change: content, approvals, why it is blocked and who can unblock it',
    load: () => import('./commands/show.js'),
  },
  diff: {
    group: reading,
    summary: 'what a change alters, computed from the signed bytes',
    load: () => import('./commands/diff.js'),
  },
  get: {
    group: reading,
    summary: 'the value at a path',
    load: () => import('./commands/get.js'),
  },
  list: {
    group: reading,
    summary: 'the paths and values below a prefix',
    load: () => import('./commands/list.js'),
  },
  watch: {
    group: reading,
    summary: 'print every activation below a prefix as it happens',
    load: () => import('./commands/watch.js'),
  },
  history: {
    group: reading,
    summary: 'who changed a path, when, approved by whom',
    load: () => import('./commands/history.js'),
  },
  people: {
    group: governing,
    summary: 'list people, their groups and keys',
    load: () => import('./commands/people.js'),
  },
  person: {
    group: governing,
    summary: 'propose a new person',
    commands: {
      add: {
        group: governing,
        summary: 'propose a person, a key and group memberships in one change',
        load: () => import('./commands/person-add.js'),
      },
    },
  },
  key: {
    group: governing,
    summary: 'make a key, and take up its use',
    commands: {
      new: {
        group: governing,
        summary: 'make a key pair and the request that asks for its registration',
        load: () => import('./commands/key-new.js'),
      },
      ack: {
        group: governing,
        summary: 'acknowledge the log with a newly registered key',
        load: () => import('./commands/key-ack.js'),
      },
    },
  },
  policy: {
    group: governing,
    summary: 'show policies, or check a policy file',
    commands: {
      show: {
        group: governing,
        summary: 'the policies in force, as YAML',
        load: () => import('./commands/policy-show.js'),
      },
      check: {
        group: governing,
        summary: 'check a policy file: form, floor, whether people could satisfy it',
        load: () => import('./commands/policy-check.js'),
      },
    },
  },
  version: {
    group: 'More:',
    summary: 'print the version',
    load: () => import('./commands/version.js'),
  },
}

/** Runs one command line to its end. Returns the process's exit code. */
export async function runCommandLine(argv: readonly string[], world: World): Promise<number> {
  // Until the options are parsed (or when they cannot be), a plain look decides about the form.
  const json = argv.includes('--json')
  const running = { command: wordsOf(argv) }
  const sessions: Session[] = []
  const program = createProgram(world, running, sessions)
  try {
    await program.parseAsync(helpAsOption(argv), { from: 'user' })
    return 0
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    const error = asFailure(thrown, running.command)
    createOutput(world, { json, command: () => running.command }).failure(error)
    return toExitCode(error)
  } finally {
    for (const session of sessions) session.close()
  }
}

function createProgram(world: World, running: { command: string }, sessions: Session[]): Command {
  const program = new Command('countersign')
  program
    .description('A Raft-consensus change-approval cluster: nobody pushes to production alone.')
    .version(version(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'help on a command')
    .addHelpText('after', helpTail)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => {
        world.stdout.write(text)
      },
      // A refused command line is reported once, by runCommandLine.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(world.stdout.columns, 110),
      getOutHasColors: () => false,
    })
  addSharedOptions(program)
  addCommands(program, commands)
  return program

  function addCommands(parent: Command, entries: Readonly<Record<string, Entry>>): void {
    const loaders = new Map<Command, () => Promise<CommandModule>>()
    for (const [name, entry] of Object.entries(entries)) {
      const command = parent.command(name).summary(entry.summary).helpGroup(entry.group)
      command.description(capital(entry.summary)).showSuggestionAfterError()
      if (entry.commands !== undefined) addCommands(command.helpCommand(false), entry.commands)
      if (entry.load !== undefined) loaders.set(command, entry.load)
    }
    parent.hook('preSubcommand', async (_, command) => {
      running.command = nameOf(command)
      const load = loaders.get(command)
      if (load === undefined) return
      const module = await load()
      module.define(command, () => {
        const session = createSession(world, command)
        sessions.push(session)
        return session
      })
    })
  }
}

function asFailure(thrown: unknown, command: string): CountersignError {
  if (!(thrown instanceof CommanderError)) return CountersignError.from(thrown)
  const message = thrown.message
    .replace(/^error: /, '')
    .replace(/\n/g, ' ')
    .replace(/\.$/, '')
  // `countersign key` and `countersign` alone: commander's help has no sentence of its own.
  return usage(
    message === '(outputHelp)' ? 'A command is missing.' : `${capital(message)}.`,
    `See \`${command === 'countersign' ? command : `countersign ${command}`} --help\`.`,
  )
}

/** The command that a failed parse meant: the leading words without options. */
function wordsOf(argv: readonly string[]): string {
  const words: string[] = []
  let entries: Readonly<Record<string, Entry>> | undefined = commands
  for (const word of argv) {
    if (entries === undefined || !Object.hasOwn(entries, word)) continue
    words.push(word)
    entries = entries[word]?.commands
  }
  return words.length === 0 ? 'countersign' : words.join(' ')
}

/** `help propose` as `propose --help`: the command's file is loaded on that way. */
function helpAsOption(argv: readonly string[]): string[] {
  return argv[0] === 'help' && argv.length > 1 ? [...argv.slice(1), '--help'] : [...argv]
}

function nameOf(command: Command): string {
  const parent = command.parent
  return parent?.parent == null ? command.name() : `${nameOf(parent)} ${command.name()}`
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

const helpTail = `
Exit codes: 0 done, 2 usage or input, 3 malformed message, 4 refused by the state of the cluster,
  5 not authenticated or not allowed, 6 not found, 7 limit reached, 8 not available now (try again),
  9 evidence of damage or fork, 70 internal, 130 cancelled.

First steps:
  countersign init --example && countersign up
  countersign propose --as alice --set /prod/payments/timeout_ms=2500 --title "Raise the timeout"
  countersign approve --as bob <change>     (then once more --as carol)`
