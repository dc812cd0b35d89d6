import t from 'tap'
import { logIndex, term, type Message } from '../../src/raft/index.js'
import { Outbox } from '../../src/transport/outbox.js'
import { decodeFrame } from '../../src/wire/index.js'
import { appendOf, heartbeat } from './nodes.js'

/** A stream that flushes only when told to. */
class SlowStream {
  readonly frames: (readonly Message[])[] = []
  readonly kinds: string[] = []
  readonly stuck: string[] = []
  readonly outbox: Outbox
  #flushes: (() => void)[] = []

  constructor(stuckAfterMs = 60_000) {
    this.outbox = new Outbox({
      write: (bytes, flushed) => {
        const frame = decodeFrame(bytes)
        this.kinds.push(frame.kind)
        if (frame.kind === 'messages') this.frames.push(frame.messages)
        this.#flushes.push(flushed)
      },
      stuck: (why) => this.stuck.push(why),
      stuckAfterMs,
    })
  }

  flushAll(): void {
    while (this.#flushes.length > 0) this.#flushes.shift()?.()
  }

  get sent(): readonly Message[] {
    return this.frames.flat()
  }
}

const append = (index: number, bytes = 4): Message =>
  appendOf('node-1', 'node-2', index, new Uint8Array(bytes))
const beat = (readToken: number): Message => heartbeat('node-1', 'node-2', readToken)
const reply = (session: number, readToken: number): Message => ({
  kind: 'heartbeatReply',
  from: 'node-1',
  to: 'node-2',
  term: term(3),
  session,
  readToken,
})

function fill(stream: SlowStream): void {
  for (let index = 1; index <= 16; index += 1) stream.outbox.send([append(index)])
}

await t.test('one frame for each drain while the stream takes them', (t) => {
  const stream = new SlowStream()
  stream.outbox.send([append(1), beat(1)])
  stream.outbox.send([append(2)])
  stream.outbox.send([])
  t.strictSame(
    stream.frames.map((frame) => frame.length),
    [2, 1],
  )
  stream.outbox.close()
  t.end()
})

await t.test('a full stream: messages wait, in order, and leave together', (t) => {
  const stream = new SlowStream()
  fill(stream)
  stream.outbox.send([append(17)])
  stream.outbox.send([append(18), append(19)])
  t.equal(stream.frames.length, 16)
  t.equal(stream.outbox.queuedMessages, 3)
  stream.flushAll()
  t.equal(stream.frames.length, 17)
  t.strictSame(
    stream.sent.map((message) => (message.kind === 'append' ? message.prevIndex : -1)),
    Array.from({ length: 19 }, (_, index) => index),
  )
  t.equal(stream.outbox.queuedMessages, 0)
  stream.outbox.close()
  t.end()
})

await t.test('a newer heartbeat replaces a queued one; nothing else is dropped', (t) => {
  const stream = new SlowStream()
  fill(stream)
  stream.outbox.send([beat(1), append(17), reply(1, 1)])
  stream.outbox.send([beat(2), reply(2, 1), reply(1, 5)])
  const newerTerm: Message = {
    kind: 'preVote',
    from: 'node-1',
    to: 'node-2',
    term: term(9),
    lastIndex: logIndex(3),
    lastTerm: term(2),
  }
  stream.outbox.send([newerTerm, newerTerm])
  stream.flushAll()
  t.strictSame(stream.frames.at(-1), [
    append(17),
    beat(2),
    reply(2, 1),
    reply(1, 5),
    newerTerm,
    newerTerm,
  ])
  stream.outbox.close()
  t.end()
})

await t.test('an older heartbeat does not replace a newer one', (t) => {
  const stream = new SlowStream()
  fill(stream)
  const newer: Message = { ...beat(1), term: term(8) }
  stream.outbox.send([newer])
  stream.outbox.send([beat(2)])
  stream.flushAll()
  t.strictSame(stream.frames.at(-1), [newer, beat(2)])
  stream.outbox.close()
  t.end()
})

await t.test('a queue past its window gives the stream up, once', (t) => {
  const stream = new SlowStream()
  fill(stream)
  for (let index = 17; index < 17 + 512; index += 1) stream.outbox.send([append(index)])
  t.strictSame(stream.stuck, [])
  stream.outbox.send([append(600)])
  stream.outbox.send([append(601)])
  t.strictSame(stream.stuck, ['its queue is full'])
  t.equal(stream.outbox.queuedMessages, 0, 'and lets go of what it held')
  stream.flushAll()
  t.equal(stream.frames.length, 16)
  t.end()
})

await t.test('the window counts bytes as well', (t) => {
  const stream = new SlowStream()
  const mebibyte = 1024 * 1024
  for (let index = 1; index <= 8; index += 1) stream.outbox.send([append(index, mebibyte)])
  t.equal(stream.frames.length, 8)
  for (let index = 9; index <= 23; index += 1) stream.outbox.send([append(index, mebibyte)])
  t.equal(stream.frames.length, 8, 'eight unflushed mebibytes are enough')
  t.strictSame(stream.stuck, [])
  stream.outbox.send([append(24, mebibyte)])
  t.strictSame(stream.stuck, ['its queue is full'])
  t.end()
})

await t.test('a queue that does not empty within an election timeout gives up', async (t) => {
  const stream = new SlowStream(20)
  fill(stream)
  stream.outbox.send([append(17)])
  await new Promise((resolve) => setTimeout(resolve, 40))
  t.match(stream.stuck, [/took nothing for 20 ms/])
})

await t.test('a queue that emptied in time does not', async (t) => {
  const stream = new SlowStream(20)
  fill(stream)
  stream.outbox.send([append(17)])
  stream.flushAll()
  await new Promise((resolve) => setTimeout(resolve, 40))
  t.strictSame(stream.stuck, [])
  stream.outbox.close()
})

await t.test('stamps go beside the messages, and are dropped when there is no room', (t) => {
  const stream = new SlowStream()
  stream.outbox.sendApart({ kind: 'stampRequest', id: 1, lastIndex: 2 })
  t.strictSame(stream.kinds, ['stampRequest'])
  fill(stream)
  const frames = stream.kinds.length
  stream.outbox.sendApart({ kind: 'stampRequest', id: 2, lastIndex: 2 })
  t.equal(stream.kinds.length, frames)
  stream.outbox.close()
  stream.flushAll()
  stream.outbox.sendApart({ kind: 'stampRequest', id: 3, lastIndex: 2 })
  t.notMatch(stream.kinds.at(-1), 'stampRequest', 'a closed outbox sends nothing')
  t.end()
})
