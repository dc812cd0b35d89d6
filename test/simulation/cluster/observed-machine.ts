/**
 * The real state machine under the eyes of the ledger, in a program that may be older than this
 * one: such a build halts above the feature level that it knows (machine/activation.ts), and as a
 * leader lets nobody propose it.
 */
import { CountersignError } from '../../../src/errors.js'
import type { Applied, Command, Machine } from '../../../src/machine/index.js'
import type { PeerLink } from '../../../src/node/ports.js'
import { OracleViolation } from '../oracles.js'
import type { Ledger } from './ledger.js'

export interface Observed {
  /** Who applies, as observers call it. */
  readonly name: string
  readonly ledger: Ledger
  /** The highest feature level that the program of this node knows. */
  readonly build: number
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
  machine.check = (command, verify, levelKnown) => {
    const known = observed.asksNobody ? Infinity : Math.min(build, levelKnown ?? build)
    const found = check(command, verify, known)
    if (found.kind === 'append') holdBack(command, observed)
    return found
  }
}

/** A raise that gets past the leader although a build that it hears does not know the level. */
function holdBack(command: Command, { name, links }: Observed): void {
  const level = levelOf(command)
  const older = links().filter(({ hello }) => level > (hello?.featureLevelMax ?? level))
  if (older.length === 0) return
  throw new OracleViolation('a level is proposed only when every build that is heard knows it', {
    name,
    level,
    older: older.map(({ id }) => id),
  })
}

function levelOf(command: Command): number {
  if (command.kind !== 'submit' || !command.envelope.type.includes('propose')) return 0
  const body = JSON.parse(Buffer.from(command.envelope.body).toString()) as {
    readonly ops?: readonly { readonly path?: string; readonly value?: unknown }[]
  }
  const value = body.ops?.find(({ path }) => path === '/sys/cluster/featureLevel')?.value
  return typeof value === 'number' ? value : 0
}

function tooOld(committed: number, known: number): CountersignError {
  return new CountersignError('VERSION_UNKNOWN', 'simulated: this build is too old.', {
    details: { committed, known },
  })
}
