import fc from 'fast-check'
import net from 'node:net'
import t from 'tap'
import { Backoff } from '../../src/transport/backoff.js'
import { cutFrames } from '../../src/transport/cut-frames.js'
import { parseAddress, probe } from '../../src/transport/probe.js'
import { encodeFrame, frameMessagesMax, messageBytesMax } from '../../src/wire/index.js'
import { appendOf, freshHost, heartbeat } from './nodes.js'
import '../property-seed.js'

await t.test('addresses', (t) => {
  const rows: [string, object | null][] = [
    ['127.0.0.1:7100', { host: '127.0.0.1', port: 7100 }],
    ['node-1.example:1', { host: 'node-1.example', port: 1 }],
    ['[::1]:7100', { host: '::1', port: 7100 }],
    ['::1:7100', null],
    ['node-1', null],
    ['node-1:', null],
    [':7100', null],
    ['node-1:65536', null],
    ['node-1:-1', null],
    ['[node-1]:1', null],
  ]
  for (const [text, expected] of rows) t.strictSame(parseAddress(text), expected, text)
  t.end()
})

await t.test('a probe tells a refusal from an open port', async (t) => {
  const host = freshHost()
  t.equal(await probe({ host, port: 7100 }, 2000).result, 'refused')
  const server = net.createServer((socket) => socket.destroy()).listen(7100, host)
  await new Promise((resolve) => server.once('listening', resolve))
  t.equal(await probe({ host, port: 7100 }, 2000).result, 'open')
  server.close()
})

await t.test('a probe that is cancelled, or hears nothing, is silent', async (t) => {
  const cancelled = probe({ host: '198.51.100.1', port: 7100 }, 60_000)
  cancelled.cancel()
  t.equal(await cancelled.result, 'silent')
  t.equal(await probe({ host: 'name.invalid', port: 7100 }, 2000).result, 'silent')
})

await t.test('the backoff doubles up to its maximum, jittered over the upper half', (t) => {
  const backoff = (random: number): Backoff =>
    new Backoff({ minMs: 10, maxMs: 1000, random: () => random })
  const low = backoff(0)
  const high = backoff(1)
  const waits = Array.from({ length: 9 }, () => [low.nextMs(), high.nextMs()])
  t.strictSame(waits, [
    [5, 10],
    [10, 20],
    [20, 40],
    [40, 80],
    [80, 160],
    [160, 320],
    [320, 640],
    [500, 1000],
    [500, 1000],
  ])
  for (let attempt = 0; attempt < 2000; attempt += 1) low.nextMs()
  t.equal(low.nextMs(), 500, 'it stays finite')
  low.reset()
  t.equal(low.nextMs(), 5)
  t.end()
})

await t.test('frames: nothing lost, nothing reordered, each below the limit', (t) => {
  const sizes = fc.array(fc.nat(1024 * 1024), { maxLength: 12 })
  fc.assert(
    fc.property(sizes, (payloads) => {
      const messages = payloads.map((size, index) =>
        appendOf('node-1', 'node-2', index + 1, new Uint8Array(size)),
      )
      const frames = cutFrames(messages)
      const bytes = frames.map((part) => encodeFrame({ kind: 'messages', messages: part }).length)
      return (
        frames.flat().every((message, index) => message === messages[index]) &&
        frames.flat().length === messages.length &&
        bytes.every((size) => size < messageBytesMax)
      )
    }),
    { numRuns: 30 },
  )
  const many = Array.from({ length: frameMessagesMax + 1 }, () => heartbeat('a', 'b', 1))
  t.strictSame(
    cutFrames(many).map((part) => part.length),
    [frameMessagesMax, 1],
  )
  t.end()
})
