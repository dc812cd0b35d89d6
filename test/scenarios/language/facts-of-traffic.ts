/** Facts about messages on their way and about what clients were told. */
import { logIndex, type Message } from '../../../src/raft/index.js'
import { passes } from '../world/wire.js'
import type { World } from '../world/world.js'
import type { Fact } from './fact.js'
import { filterOf } from './message-kinds.js'
import { compares, type Words } from './words.js'

/** `sent 1->2 append <= 3`: since the last `count`. */
function sent(words: Words): Fact {
  const filter = filterOf(words)
  const comparison = words.comparison()
  const wanted = words.number('a number of messages')
  return (world) => {
    const number = world.wire.sent.filter((message) => passes(filter, message)).length
    return { holds: compares(number, comparison, wanted), found: `${String(number)} were sent` }
  }
}

/**
 * `said 1->2 append prev 3/1 entries 4/2 commit 3`: the last such message sent says so. Parts left
 * out may be anything; `entries none` means an empty append.
 */
function said(words: Words): Fact {
  const filter = filterOf(words)
  const wanted: [part: string, text: string][] = []
  while (!words.isAtEnd) wanted.push([words.word('a part'), wordsUntilPart(words)])
  return (world) => {
    const message = world.wire.sent.findLast((candidate) => passes(filter, candidate))
    if (message === undefined) return { holds: false, found: 'no such message was sent' }
    const parts = partsOf(message)
    return {
      holds: wanted.every(([part, text]) => parts[part] === text),
      found: Object.entries(parts)
        .map(([part, text]) => `${part} ${text}`)
        .join(' '),
    }
  }
}

function wordsUntilPart(words: Words): string {
  const texts = [words.word('a value')]
  while (/^\d+\/\d+$/.test(words.peek() ?? '')) texts.push(words.word('a position'))
  return texts.join(' ')
}

function partsOf(message: Message): Readonly<Record<string, string>> {
  const at = (index: number, inTerm: number): string => `${String(index)}/${String(inTerm)}`
  const head = { term: String(message.term) }
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return { ...head, last: at(message.lastIndex, message.lastTerm) }
    case 'preVoteReply':
    case 'voteReply':
      return { ...head, answer: message.granted ? 'granted' : 'refused' }
    case 'append':
      return {
        ...head,
        prev: at(message.prevIndex, message.prevTerm),
        entries: message.entries.map((entry) => at(entry.index, entry.term)).join(' ') || 'none',
        commit: String(message.commit),
      }
    case 'appendReply':
      return message.result.kind === 'matched'
        ? { ...head, answer: 'matched', match: String(message.result.matchIndex) }
        : {
            ...head,
            answer: 'rejected',
            rejected: String(message.result.rejectedIndex),
            hint: at(message.result.hintIndex, message.result.hintTerm),
          }
    case 'heartbeat':
      return { ...head, commit: String(message.commit), token: String(message.readToken) }
    case 'heartbeatReply':
      return { ...head, token: String(message.readToken) }
    case 'snapshotOffer':
      return { ...head, at: at(message.snapshot.index, message.snapshot.term) }
    case 'timeoutNow':
      return head
  }
}

/** `waiting 1->2 append = 0` */
function waiting(words: Words): Fact {
  const filter = filterOf(words)
  const comparison = words.comparison()
  const wanted = words.number('a number of messages')
  return (world) => {
    world.start()
    const number = world.wire.waiting.filter((message) => passes(filter, message)).length
    return { holds: compares(number, comparison, wanted), found: `${String(number)} wait` }
  }
}

/** `read r1 waiting`, `read r1 failed`, `read r1 ready`, `read r1 ready 5`. */
function read(words: Words): Fact {
  const name = words.word('a read')
  const wanted = words.oneOf('an outcome', ['waiting', 'failed', 'ready'])
  const index = words.isAtEnd ? null : words.number('an index')
  return (world) => {
    const { node, id } = requestOf(world, name)
    const outcome = world.replica(node).reads.get(id)
    const at = outcome?.kind === 'ready' ? outcome.index : null
    return {
      holds: (outcome?.kind ?? 'waiting') === wanted && (index === null || at === index),
      found: JSON.stringify(outcome ?? 'waiting'),
    }
  }
}

/**
 * `proposal p1 none|appended 4/2|refused BUSY`: what the node said. `committed|lost|unknown`: what
 * the client can know, by whatever is committed at the (index, term) that it was given.
 */
function proposal(words: Words): Fact {
  const name = words.word('a proposal')
  const wanted = words.word('an outcome')
  const code = wanted === 'refused' ? words.word('a code') : null
  const position = wanted === 'appended' && !words.isAtEnd ? words.position() : null
  return (world) => {
    const { node, id } = requestOf(world, name)
    const outcome = world.replica(node).proposals.get(id)
    if (outcome === undefined) return { holds: wanted === 'none', found: 'no answer yet' }
    const found = JSON.stringify(outcome)
    if (outcome.kind === 'refused') return { holds: outcome.code === code, found }
    const committed = world.oracles.committedAt(outcome.index)
    const fate =
      committed === null ? 'unknown' : committed.term === outcome.term ? 'committed' : 'lost'
    const isThere =
      position === null || (outcome.index === position.index && outcome.term === position.term)
    return {
      holds: wanted === fate || (wanted === 'appended' && isThere),
      found: `${found}, ${fate}`,
    }
  }
}

/** `change c1 appended 5`, `change c1 refused PENDING 5`. */
function change(words: Words): Fact {
  const name = words.word('a change')
  const wanted = words.oneOf('an outcome', ['none', 'appended', 'refused'])
  const code = wanted === 'refused' ? words.word('a code') : null
  const index = words.isAtEnd ? null : logIndex(words.number('an index'))
  return (world) => {
    const { node, id } = requestOf(world, name)
    const outcome = world.replica(node).changes.get(id)
    if (outcome === undefined) return { holds: wanted === 'none', found: 'no answer yet' }
    const at = outcome.kind === 'appended' ? outcome.index : outcome.pendingIndex
    const isCode = code === null || (outcome.kind === 'refused' && outcome.code === code)
    return {
      holds: outcome.kind === wanted && isCode && (index === null || at === index),
      found: JSON.stringify(outcome),
    }
  }
}

function requestOf(world: World, name: string) {
  const request = world.requests.get(name)
  if (request === undefined) throw new Error(`nobody asked ${name}`)
  return request
}

export const trafficFacts: readonly [string, (words: Words) => Fact][] = [
  ['sent', sent],
  ['said', said],
  ['waiting', waiting],
  ['read', read],
  ['proposal', proposal],
  ['change', change],
]
