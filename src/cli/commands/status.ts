import type { Command } from 'commander'
import type { StatusView } from '../../client/index.js'
import type { OpenSession } from '../command-module.js'
import { CountersignError } from '../../errors.js'
import { escapeLine } from '../escape.js'
import { failureJson } from '../output.js'
import { promotionText } from '../present/promotion.js'
import { plainJson } from '../present/plain-json.js'
import { timeText } from '../present/time.js'
import type { Style } from '../style.js'
import { table } from '../table.js'

interface Answer {
  readonly address: string
  readonly status?: StatusView
  readonly error?: CountersignError
}

export function define(command: Command, open: OpenSession): void {
  command.action(async () => {
    const { output, client: connect } = open()
    const client = await connect()
    output.progress('asking every node ...')
    const answers = await Promise.all(
      client.addresses.map(async (address): Promise<Answer> => {
        try {
          // A node that does not answer must not hold the table up.
          return { address, status: await client.status(address, { deadlineMs: 2_000 }) }
        } catch (thrown) {
          return { address, error: CountersignError.from(thrown) }
        }
      }),
    )
    const reached = answers.filter((answer) => answer.status !== undefined)
    const failed = answers.find(({ error }) => error !== undefined && error.code !== 'UNREACHABLE')
    if (reached.length === 0 && failed?.error !== undefined) throw failed.error
    if (reached.length === 0) {
      throw new CountersignError(
        'UNREACHABLE',
        `None of the ${String(answers.length)} nodes answers: ${client.addresses.join(', ')}.`,
        { details: { next: 'Start them with `countersign up` or `countersign node`.' } },
      )
    }
    output.result(
      {
        nodes: answers.map(({ address, status, error }) => ({
          address,
          ...(status === undefined ? {} : { status: plainJson(status) }),
          ...(error === undefined ? {} : { error: failureJson(error) }),
        })),
        agreement: agreement(reached.flatMap(({ status }) => status ?? [])),
      },
      () => humanLines(answers, output.style),
    )
  })
}

function humanLines(answers: readonly Answer[], style: Style): string[] {
  const known = answers.flatMap(({ status }) => status ?? [])
  const first = [...known].sort((a, b) => b.appliedIndex - a.appliedIndex)[0]
  const leader = known.find(({ role }) => role === 'leader')
  const lag = new Map(leader?.peers.map((peer) => [peer.nodeId, peer.lag]))
  const rows = answers.map(({ address, status, error }) =>
    status === undefined
      ? [style.red('?'), escapeLine(address), style.red(error?.code ?? 'no answer')]
      : [
          escapeLine(status.nodeId),
          escapeLine(address),
          roleText(status, style),
          memberText(first, status.nodeId),
          String(status.term),
          String(status.commitIndex),
          String(status.appliedIndex),
          status.role === 'leader' || status.removed ? '-' : String(lag.get(status.nodeId) ?? '?'),
          status.ready ? style.green('yes') : style.yellow('no'),
          escapeLine(status.stateDigest.slice(0, 12)),
        ],
  )
  const lines = table(
    ['NODE', 'ADDRESS', 'ROLE', 'MEMBER AS', 'TERM', 'COMMIT', 'APPLIED', 'LAG', 'READY', 'STATE'],
    rows,
  )
  if (first !== undefined) {
    const counts = Object.entries(first.changesByState).filter(([, count]) => count > 0)
    lines.push(
      '',
      `cluster "${escapeLine(first.clusterName)}" ${escapeLine(first.clusterId.slice(0, 16))}..., feature level ${String(first.featureLevel)}, log time ${timeText(first.logTime)}`,
      `changes: ${counts.length === 0 ? 'none' : counts.map(([state, count]) => `${String(count)} ${escapeLine(state)}`).join(', ')}; refused attempts on record: ${String(first.refusals)}`,
    )
    if (first.noise > 0) {
      lines.push(
        style.red(`${String(first.noise)} forged entries stand in the log: a leader cheated`),
      )
    }
  }
  for (const peer of leader?.peers ?? []) {
    const lacks = promotionText(peer)
    if (lacks !== null)
      lines.push(style.yellow(`${escapeLine(peer.nodeId)} is no voter yet: ${lacks}`))
  }
  if (leader === undefined)
    lines.push(style.yellow('no leader is known: nothing can be written now'))
  if (agreement(known) === 'differs') {
    lines.push(style.red('nodes at the same index hold DIFFERENT states: stop and investigate'))
  }
  return lines
}

/** By the configuration in force of the node that has applied most. */
function memberText(newest: StatusView | undefined, id: string): string {
  const role = newest?.members.find(({ nodeId }) => nodeId === id)?.role ?? 'none'
  const rounds = newest?.peers.find(({ nodeId }) => nodeId === id)?.catchUpRounds ?? 0
  return rounds === 0 || role !== 'learner' ? role : `learner, round ${String(rounds)}`
}

function roleText(status: StatusView, style: Style): string {
  if (status.removed) return style.yellow('removed')
  return status.role === 'leader' ? style.bold(style.green('leader')) : escapeLine(status.role)
}

/** Nodes at an equal applied index must hold an equal state. */
function agreement(known: readonly StatusView[]): 'agrees' | 'differs' | 'not comparable' {
  const byIndex = new Map<number, Set<string>>()
  for (const { appliedIndex, stateDigest } of known) {
    byIndex.set(appliedIndex, (byIndex.get(appliedIndex) ?? new Set()).add(stateDigest))
  }
  if ([...byIndex.values()].some((digests) => digests.size > 1)) return 'differs'
  return known.length > 1 && byIndex.size < known.length ? 'agrees' : 'not comparable'
}
