/** HTTP/2 without a gRPC library, for callers that do what no library does. */
import type { EventEmitter } from 'node:events'
import http2 from 'node:http2'
import type { Test } from 'tap'
import type { Refusal } from '../../src/errors.js'
import { decodeRefusal, refusalTrailer } from '../../src/wire/index.js'
import type { Stage } from './stage.js'

export function session(
  t: Test,
  on: Stage,
  settings: http2.Settings = {},
): http2.ClientHttp2Session {
  const opened = http2.connect(`http://${on.addresses[0] ?? ''}`, { settings })
  // A connection that is cut may end with a reset.
  opened.on('error', () => undefined)
  t.teardown(() => {
    opened.destroy()
  })
  return opened
}

/** Whoever wants to know what comes back listens or reads; errors are no surprise here. */
export function call(of: http2.ClientHttp2Session, path: string): http2.ClientHttp2Stream {
  const stream = of.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.on('error', () => undefined)
  return stream
}

/** One message as gRPC frames it. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

export function refusalIn(headers: http2.IncomingHttpHeaders): Refusal {
  return decodeRefusal(Buffer.from(String(headers[refusalTrailer]), 'base64'))
}

/** Not events.once, which rejects when the cut connection ends with a reset. */
export const isClosed = (of: EventEmitter): Promise<void> =>
  new Promise((resolve) => {
    of.once('error', () => undefined).once('close', () => {
      resolve()
    })
  })
