/**
 * What is compared after each step, as the specification says it. Commands and messages are told by
 * one text each, the same for both sides: a message of the specification is known by it among those
 * that the core has sent.
 */
import type { Entry, Message } from '../../src/raft/index.js'
import { integer, list, mapping, record, text, type TraceState } from './itf.js'

export interface Observation {
  readonly nodes: Readonly<Record<string, ObservedNode>>
  /** Messages under way, sorted. */
  readonly network: readonly string[]
}

export interface ObservedNode {
  readonly role: string
  readonly term: number
  readonly votedFor: string
  readonly leader: string
  /** `term:command` of each entry. */
  readonly log: readonly string[]
  readonly commitIndex: number
  readonly durableIndex: number
  /** Writes that the disk owes. */
  readonly writes: number
  readonly disk: {
    readonly term: number
    readonly votedFor: string
    readonly log: readonly string[]
  }
}

export const nobody = 'nobody'

// ---- the specification's side ---------------------------------------------------------------

export function observationOfTrace(state: TraceState): Observation {
  const disks = mapping(state.variable('disks'))
  const nodes: Record<string, ObservedNode> = {}
  for (const [id, value] of mapping(state.variable('nodes'))) {
    const node = record(value)
    const disk = record(disks.get(id))
    const hard = record(disk['hard'])
    nodes[text(id)] = {
      role: decapitalized(tagOf(node['role'])),
      term: integer(node['term']),
      votedFor: text(node['vote']),
      leader: text(node['leader']),
      log: list(node['log']).map(entryOfTrace),
      commitIndex: integer(node['commit']),
      durableIndex: integer(node['durable']),
      writes: list(node['writes']).length,
      disk: {
        term: integer(hard['term']),
        votedFor: text(hard['vote']),
        log: list(disk['log']).map(entryOfTrace),
      },
    }
  }
  return { nodes, network: list(state.variable('network')).map(messageOfTrace).sort() }
}

export function messageOfTrace(value: unknown): string {
  const { from, to, term, body } = record(value)
  const kind = tagOf(body)
  const content = record(body)['value']
  return lineOf(kind, text(from), text(to), integer(term), contentOfTrace(kind, content))
}

function contentOfTrace(kind: string, content: unknown): readonly unknown[] {
  switch (kind) {
    case 'PreVote':
    case 'Vote': {
      const { lastIndex, lastTerm } = record(content)
      return [lastIndex, lastTerm]
    }
    case 'Append': {
      const { prevIndex, prevTerm, commit, entries } = record(content)
      return [prevIndex, prevTerm, commit, ...list(entries).map(entryOfTrace)]
    }
    case 'Rejected': {
      const { rejectedIndex, hintIndex, hintTerm } = record(content)
      return [rejectedIndex, hintIndex, hintTerm]
    }
    case 'HeartbeatReply':
      return []
    default:
      return [content]
  }
}

function entryOfTrace(value: unknown): string {
  const { term, command } = record(value)
  return `${String(integer(term))}:${commandOfTrace(command)}`
}

export function commandOfTrace(command: unknown): string {
  const { value } = record(command)
  switch (tagOf(command)) {
    case 'Propose':
      return `propose ${text(record(value)['change'])} by ${text(record(value)['author'])}`
    case 'Approve':
      return `approve ${text(record(value)['change'])} by ${text(record(value)['person'])}`
    default:
      return noop
  }
}

export function tagOf(value: unknown): string {
  return text(record(value)['tag'])
}

// ---- the core's side ------------------------------------------------------------------------

const noop = 'noop'

export function entryOfCore(entry: Entry): string {
  const command = entry.kind === 'noop' ? noop : Buffer.from(entry.payload).toString()
  return `${String(entry.term)}:${command}`
}

/** Throws for a kind that the specification does not know. */
export function messageOfCore(message: Message): string {
  const [kind, content] = contentOfCore(message)
  return lineOf(kind, message.from, message.to, message.term, content)
}

function contentOfCore(message: Message): readonly [string, readonly unknown[]] {
  switch (message.kind) {
    case 'preVote':
      return ['PreVote', [message.lastIndex, message.lastTerm]]
    case 'vote':
      return ['Vote', [message.lastIndex, message.lastTerm]]
    case 'preVoteReply':
      return ['PreVoteReply', [message.granted]]
    case 'voteReply':
      return ['VoteReply', [message.granted]]
    case 'append': {
      const { prevIndex, prevTerm, commit, entries } = message
      return ['Append', [prevIndex, prevTerm, commit, ...entries.map(entryOfCore)]]
    }
    case 'appendReply': {
      const { result } = message
      if (result.kind === 'matched') return ['Matched', [result.matchIndex]]
      return ['Rejected', [result.rejectedIndex, result.hintIndex, result.hintTerm]]
    }
    case 'heartbeat':
      return ['Heartbeat', [message.commit]]
    case 'heartbeatReply':
      return ['HeartbeatReply', []]
    default:
      throw new TypeError(`the specification has no message "${message.kind}"`)
  }
}

function lineOf(
  kind: string,
  from: string,
  to: string,
  term: number,
  content: readonly unknown[],
): string {
  return `${kind} ${from}>${to} term ${String(term)} [${content.map(String).join(', ')}]`
}

function decapitalized(word: string): string {
  return word.slice(0, 1).toLowerCase() + word.slice(1)
}
