/**
 * The real state machine under the eyes of the ledger, in a program that may be older than this
 * one: such a build halts above the feature level that it knows (machine/activation.ts), and as a
 * leader lets nobody propose it.
 */
import { CountersignError } from '../../../src/errors.js'
import type { Applied, Command, Machine } from '../../../src/machine/index.js'
import type { PeerLink } from '../../../src/node/ports.js'
import type { NodeId } from '../../../src/raft/index.js'
import { OracleViolation } from '../oracles.js'
import type { Ledger } from './ledger.js'

export interface Observed {
  /** Who applies, as observers call it. */
  readonly name: string
  readonly ledger: Ledger
  /** The highest feature level that the program of this node knows. */
  readonly build: number
  readonly nodeId: NodeId
  /** Of the configuration in force. */
  readonly members: () => readonly NodeId[]
  readonly links: () => readonly PeerLink[]
  /** A leader that asks nobody: for a mutant. */
  readonly asksNobody: boolean
}

/** The ledger hears of an entry before any watcher does. */
export function observeMachine(machine: Machine, observed: Observed): void {
  const { name, ledger, build } = observed
  const heard = (index: number, applied: Applied): Applied => {
    const { featureLevel } = machine.status()
    if (featureLevel > build) throw tooOld(featureLevel, build)
    ledger.applied(name, index, applied.digest, applied.events)
    return applied
  }
  const apply = machine.apply.bind(machine)
  machine.apply = (committed, verify) => heard(committed.index, apply(committed, verify))
  const skip = machine.skip.bind(machine)
  machine.skip = (index, term) => heard(index, skip(index, term))
  const replaceState = machine.replaceState.bind(machine)
  machine.replaceState = (records, at) => {
    replaceState(records, at)
    const { featureLevel } = machine.status()
    if (featureLevel > build) throw tooOld(featureLevel, build)
  }
  const check = machine.check.bind(machine)
  machine.check = (command, verify, builds = []) => {
    const told = builds.map((one) =>
      one.id === observed.nodeId ? { ...one, featureLevelMax: build } : one,
    )
    const found = check(command, verify, observed.asksNobody ? [] : told)
    if (found.kind === 'append') holdBack(machine, command, observed)
    return found
  }
}

/**
 * A raise, or an approval of one, that gets past the leader although the build of a member is not
 * known to know the level: it says so, or it has not been heard.
 */
function holdBack(machine: Machine, command: Command, observed: Observed): void {
  const { name, nodeId, members, links, build } = observed
  const level = levelOf(machine, command)
  const heard = new Map(links().map(({ id, hello }) => [id, hello?.featureLevelMax ?? 0]))
  heard.set(nodeId, build)
  const behind = members().filter((id) => level > (heard.get(id) ?? 0))
  if (level <= machine.status().featureLevel || behind.length === 0) return
  throw new OracleViolation('a level is let into the log only when every member knows it', {
    name,
    level,
    behind,
  })
}

function levelOf(machine: Machine, command: Command): number {
  if (command.kind !== 'submit') return 0
  const { type, body: bytes } = command.envelope
  const body = JSON.parse(Buffer.from(bytes).toString()) as Ops & { readonly changeId?: string }
  if (type.includes('propose')) return levelIn(body)
  if (!type.includes('approve') && !type.includes('activate')) return 0
  const envelope = machine.reads.change(body.changeId ?? '')?.revisions.at(-1)?.envelope
  if (envelope === undefined) return 0
  return levelIn(JSON.parse(Buffer.from(envelope.body).toString()) as Ops)
}

interface Ops {
  readonly ops?: readonly { readonly path?: string; readonly value?: unknown }[]
}

function levelIn({ ops }: Ops): number {
  const value = ops?.find(({ path }) => path === '/sys/cluster/featureLevel')?.value
  return typeof value === 'number' ? value : 0
}

function tooOld(committed: number, known: number): CountersignError {
  return new CountersignError('VERSION_UNKNOWN', 'simulated: this build is too old.', {
    details: { committed, known },
  })
}
