import path from 'node:path'
import type { Command } from 'commander'
import type { Genesis } from '../../approval/index.js'
import type { OpenSession } from '../command-module.js'
import { cancelled, usage } from '../failures.js'
import { exampleFounding, examplePeople, type Founding } from '../founding/genesis.js'
import { readFounding } from '../founding/genesis-file.js'
import { exists } from '../founding/draft.js'
import { foundCluster, genesisKey, type Founded } from '../founding/material.js'
import {
  checkPlaces,
  hostPort,
  loopbackPlaces,
  parseBasePort,
  parsePlace,
  type NodePlace,
} from '../founding/places.js'
import { parseTime } from '../parse-time.js'
import { gather } from '../shared-options.js'
import type { Signer } from '../../signing/index.js'
import { generateSigner } from '../../signing/key-file.js'

interface Options {
  readonly example?: true
  readonly genesisFile?: string
  readonly node?: readonly string[]
  readonly listen?: string
  readonly basePort?: string
  readonly place?: readonly string[]
  readonly alsoName?: readonly string[]
  readonly ifMissing?: true
}

export function define(command: Command, open: OpenSession): void {
  command
    .option('--example', 'a toy cluster: alice, bob, carol and an agent, all keys in one folder')
    .option('--genesis-file <file>', 'people, public keys, groups, policies, floor (docs/cli.md)')
    .option(
      '--node <id=host[:peer:client:status]>',
      'a node; repeatable; else three on loopback',
      gather,
    )
    .option('--base-port <port>', 'loopback ports from here: base+1, base+101, base+201 for node 1')
    .option('--listen <address>', 'bind to this address instead of the host: 0.0.0.0 in containers')
    .option('--also-name <name>', 'another name or address that clients dial; repeatable', gather)
    .option('--place <id=folder>', "write a node's folder here, e.g. a volume; repeatable", gather)
    .option('--if-missing', 'succeed without doing anything when all of it is there already')
    .action(async (options: Options) => {
      const session = open()
      const { output, directory, world } = session
      const places = placesOf(options)
      const elsewhere = placementOf(options.place ?? [], places, session.resolve)
      if (options.ifMissing === true && (await isComplete(directory, elsewhere))) {
        output.result({ directory, created: false }, () => [`${directory} is there already.`])
        return
      }
      const { founding, peopleKeys } = await foundingOf(options, session.resolve)
      const stop = new AbortController()
      const done = world.onInterrupt(() => {
        stop.abort()
      })
      let founded: Founded
      try {
        founded = await foundCluster({
          directory,
          places,
          ...(options.listen === undefined ? {} : { listen: options.listen }),
          alsoNames: options.alsoName ?? [],
          elsewhere,
          founding,
          peopleKeys,
          wallMs: world.wallMs(),
          progress(what) {
            if (stop.signal.aborted) throw cancelled('Interrupted; nothing was made.')
            output.progress(what)
          },
        })
      } finally {
        done()
      }
      const warnings = warningsOf(founded.genesis, options.example === true)
      output.result(
        {
          directory,
          created: true,
          clusterId: founded.clusterId,
          name: founded.genesis.name,
          nodes: founded.nodes.map(({ id, folder }) => {
            const place = places.find((each) => each.id === id)
            return {
              id,
              folder,
              configuration: path.join(folder, 'node.json'),
              peer: place === undefined ? '' : hostPort(place.host, place.peerPort),
              client: place === undefined ? '' : hostPort(place.host, place.clientPort),
              status: place === undefined ? '' : hostPort(place.host, place.statusPort),
            }
          }),
          people: founded.genesis.people.map(({ id }) => id),
          warnings,
        },
        () => [
          `Made cluster "${founded.genesis.name}" in ${directory}`,
          `  cluster id  ${founded.clusterId}`,
          `  nodes       ${places.map(({ id }) => id).join(', ')}`,
          `  people      ${founded.genesis.people.map(({ id }) => id).join(', ')}`,
        ],
      )
      for (const warning of warnings) output.warn(warning)
      output.note(
        'Next: `countersign up` runs all nodes here; `countersign node --config <folder>/node.json` runs one.',
      )
      if (options.example !== true) {
        output.note(
          'Move each node folder to its machine, keep ca.key.pem offline, and give people cluster.json, genesis.json and ca.pem.',
        )
      }
    })
}

function placesOf(options: Options): NodePlace[] {
  if (options.node !== undefined && options.basePort !== undefined) {
    throw usage('--base-port is for loopback nodes; --node names its own ports.')
  }
  const places =
    options.node === undefined
      ? loopbackPlaces(options.basePort === undefined ? undefined : parseBasePort(options.basePort))
      : options.node.map(parsePlace)
  checkPlaces(places)
  return places
}

function placementOf(
  given: readonly string[],
  places: readonly NodePlace[],
  resolve: (file: string) => string,
): Map<string, string> {
  const placement = new Map<string, string>()
  for (const text of given) {
    const split = text.indexOf('=')
    const id = text.slice(0, split)
    if (split < 1 || split === text.length - 1) throw usage(`--place ${text}: write ID=FOLDER.`)
    if (!places.some((place) => place.id === id))
      throw usage(`--place ${text}: there is no node ${id}.`)
    if (placement.has(id)) throw usage(`--place names ${id} twice.`)
    placement.set(id, resolve(text.slice(split + 1)))
  }
  return placement
}

async function isComplete(
  directory: string,
  elsewhere: ReadonlyMap<string, string>,
): Promise<boolean> {
  const files = [
    path.join(directory, 'cluster.json'),
    ...[...elsewhere.values()].map((folder) => path.join(folder, 'node.json')),
  ]
  return (await Promise.all(files.map(exists))).every(Boolean)
}

async function foundingOf(
  options: Options,
  resolve: (file: string) => string,
): Promise<{ readonly founding: Founding; readonly peopleKeys: ReadonlyMap<string, Signer> }> {
  if ((options.example === true) === (options.genesisFile !== undefined)) {
    throw usage(
      'Say what the cluster starts from: either --example or --genesis-file.',
      'Try `countersign init --example`; docs/cli.md describes the genesis file.',
    )
  }
  if (options.genesisFile !== undefined) {
    return { founding: await readFounding(resolve(options.genesisFile)), peopleKeys: new Map() }
  }
  const peopleKeys = new Map<string, Signer>()
  const keys = examplePeople.map(({ id, uses }) => {
    const signer = generateSigner()
    peopleKeys.set(id, signer)
    return genesisKey(id, signer, uses)
  })
  return { founding: exampleFounding(keys), peopleKeys }
}

/** What founders should know before they rely on it; nothing of this can be changed later. */
function warningsOf(genesis: Genesis, example: boolean): string[] {
  const warnings: string[] = []
  if (example) {
    warnings.push(
      'this is a toy: every private key lies in one folder, so one person can be everybody',
    )
  }
  if (parseTime(genesis.coolOff) < 3_600_000) {
    const when = parseTime(genesis.coolOff) === 0 ? 'at once' : `${genesis.coolOff} later`
    warnings.push(
      `coolOff is ${genesis.coolOff}: a key that is registered now may approve changes ${when}`,
    )
  }
  const operators = approversOf(genesis)
  const wanted = genesis.floor.sys + 2
  if (operators < wanted) {
    warnings.push(
      `${String(operators)} people can approve changes to /sys/**, fewer than ${String(wanted)} (floor + author + one lost key): ` +
        'with a lost key nobody could change people or policies any more, and there is no back door',
    )
  }
  return warnings
}

/** Humans with an approving key who hold a group that a rule on /sys/** asks for. */
function approversOf(genesis: Genesis): number {
  const groups = new Set(
    genesis.policies
      .flatMap(({ document }) => document.rules)
      .filter((rule) =>
        rule.paths.some((glob) => glob.startsWith('/sys/') || glob.startsWith('/*')),
      )
      .flatMap((rule) => (rule.need ?? []).map((line) => line.group)),
  )
  const members = new Set(
    genesis.groups.filter(({ name }) => groups.has(name)).flatMap((group) => group.members),
  )
  return genesis.people.filter(
    ({ id, kind }) =>
      kind === 'human' &&
      members.has(id) &&
      genesis.keys.some((key) => key.person === id && key.uses.includes('approve')),
  ).length
}
