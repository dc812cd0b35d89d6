/** One unary call to one node, over bytes: an answer, or what became of it. */
import type { Client, ClientUnaryCall } from '@grpc/grpc-js'
import { failureOf, type Failure } from './from-grpc.js'

export type Outcome =
  | { readonly kind: 'answered'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly error: Failure }

export function attempt(
  client: Client,
  path: string,
  bytes: Buffer,
  options: {
    readonly address: string
    readonly deadlineMs: number
    readonly signal: AbortSignal
    /** Is handed the way to give up; returns the end of the wait. */
    readonly whileSilent?: (giveUp: () => void) => () => void
  },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const cancel = (): void => {
      call.cancel()
    }
    const call: ClientUnaryCall = client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      bytes,
      { deadline: Date.now() + options.deadlineMs },
      (error, answer) => {
        options.signal.removeEventListener('abort', cancel)
        stopWaiting?.()
        if (error !== null) {
          resolve({ kind: 'failed', error: failureOf(error, options.address) })
        } else {
          resolve({ kind: 'answered', bytes: answer ?? Buffer.alloc(0) })
        }
      },
    )
    options.signal.addEventListener('abort', cancel, { once: true })
    const stopWaiting = options.whileSilent?.(cancel)
  })
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function asIs(bytes: Buffer): Buffer {
  return bytes
}
