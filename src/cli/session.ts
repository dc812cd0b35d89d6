/** What one command line has at hand: options, output, the cluster's material, a client, a key. */
import path from 'node:path'
import type { Command } from 'commander'
import type { CountersignClient } from '../client/index.js'
import type { Signer } from '../signing/index.js'
import { readClusterDirectory, type ClusterDirectory } from './cluster-directory.js'
import { badInput, cancelled, usage } from './failures.js'
import { createOutput, type Output } from './output.js'
import { parseTime } from './parse-time.js'
import { readSigner } from './read-signer.js'
import type { SharedOptions } from './shared-options.js'
import type { World } from './world.js'

export interface Session {
  readonly world: World
  readonly output: Output
  /** Where the cluster's material is, or is to be. */
  readonly directory: string
  readonly options: SharedOptions
  /** Genesis, cluster id and addresses; read once. */
  readonly cluster: () => Promise<ClusterDirectory>
  readonly client: () => Promise<CountersignClient>
  /** Who acts: `--as`, else $COUNTERSIGN_AS. Undefined when nobody is named. */
  readonly person: () => string | undefined
  /** The person and the key that sign; refuses readably when there is none. */
  readonly signer: () => Promise<{ readonly person: string; readonly signer: Signer }>
  /** Waits for a yes at the terminal; `--yes` is one. Without a terminal `--yes` is needed. */
  readonly confirm: (question: string) => Promise<void>
  /** A path as typed, relative to the working directory. */
  readonly resolve: (file: string) => string
  readonly close: () => void
}

export function createSession(world: World, command: Command): Session {
  const options = command.optsWithGlobals<SharedOptions>()
  const name = commandName(command)
  const output = createOutput(world, { json: options.json === true, command: () => name })
  const resolve = (file: string): string => path.resolve(world.workingDirectory, file)
  const directory = resolve(options.dir ?? world.environment['COUNTERSIGN_DIR'] ?? '.countersign')
  let cluster: Promise<ClusterDirectory> | undefined
  let client: Promise<CountersignClient> | undefined
  let closed = false

  const session: Session = {
    world,
    output,
    directory,
    options,
    resolve,
    cluster: () => (cluster ??= readClusterDirectory(directory)),
    client: () => (client ??= connect()),
    person: () => options.as ?? nonEmpty(world.environment['COUNTERSIGN_AS']),
    async signer() {
      const person = session.person()
      if (person === undefined) {
        throw usage('Nobody is named who signs.', 'Add `--as <person>`, or set COUNTERSIGN_AS.')
      }
      // Without a cluster there is nothing to sign for: say that first.
      await session.cluster()
      const signer = await readSigner(world, {
        person,
        file:
          options.key === undefined
            ? path.join(directory, 'people', `${checkedId(person)}.key.pem`)
            : resolve(options.key),
        ...(options.passphraseFile === undefined
          ? {}
          : { passphraseFile: resolve(options.passphraseFile) }),
      })
      return { person, signer }
    },
    async confirm(question) {
      if (options.yes === true) return
      if (!world.stdinIsTerminal || output.json) {
        throw usage('This signs; it asks first, and there is no terminal to ask at.', withYes)
      }
      const answer = await world.ask(`${question} [y/N] `)
      if (answer === null || !/^y(es)?$/i.test(answer.trim())) throw cancelled('You said no.')
    },
    close() {
      if (closed) return
      closed = true
      client?.then(
        (open) => {
          open.close()
        },
        () => undefined,
      )
    },
  }
  return session

  async function connect(): Promise<CountersignClient> {
    const known = await session.cluster()
    return world.connect({
      addresses: options.address ?? known.nodes.map((node) => node.client),
      ca: known.ca,
      deadlineMs: parseTime(options.timeout ?? '10s'),
    })
  }
}

const withYes = 'Look at it with `preview` or `show`, then add `--yes`.'

function checkedId(person: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(person)) {
    throw badInput(`"${person}" is not an id: lower-case letters, digits and "-".`)
  }
  return person
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

function commandName(command: Command): string {
  const names: string[] = []
  for (let at = command; at.parent !== null; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}
