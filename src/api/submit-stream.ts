/**
 * ProposeStream: messages are handed to the node as they arrive and answered as they are done, at
 * most a window of them at a time. Above it, or while answers are not read, nothing more is read
 * from the stream, so that the pressure reaches the caller and not the memory.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodePort } from '../node/ports.js'
import { changesMethods, type NumberedAnswer, type NumberedMessage } from '../wire/index.js'
import { anyWord, commandOf } from './command.js'
import { failStream, logFailure, toBuffer, type ServiceContext } from './handlers.js'
import { submit } from './submit.js'
import { fitted, toRefusal } from './to-grpc-status.js'

const method = changesMethods.proposeStream

export function serveSubmitStream(
  call: ServerDuplexStream<Buffer, Buffer>,
  context: ServiceContext & { readonly node: NodePort; readonly submitStreamWindow: number },
): void {
  const peer = call.getPeer()
  let unanswered = 0
  let isHalfClosed = false
  let isOver = false

  call.on('data', (bytes: Buffer) => {
    if (isOver) return
    let request: NumberedMessage
    try {
      request = method.request.decode(bytes)
    } catch (error) {
      // Without its number there is nothing to answer to.
      context.gate.noted(peer, CountersignError.from(error).code)
      end(error)
      return
    }
    unanswered += 1
    if (unanswered >= context.submitStreamWindow) call.pause()
    void answerTo(request)
  })
  call.on('end', () => {
    isHalfClosed = true
    endWhenDone()
  })
  call.on('cancelled', () => {
    isOver = true
  })
  call.on('drain', resumeReading)

  async function answerTo({ number, message }: NumberedMessage): Promise<void> {
    let result: NumberedAnswer['result']
    try {
      const accepted = await context.gate.pass(peer, async () =>
        submit(context.node, context.gate, commandOf(message, anyWord)),
      )
      result = { kind: 'accepted', accepted }
    } catch (error) {
      logFailure(context.logger, method.path, error)
      result = { kind: 'refused', refusal: fitted(toRefusal(error)) }
    }
    unanswered -= 1
    if (isOver) return
    call.write(toBuffer(method.response.encode({ number, result })))
    resumeReading()
    endWhenDone()
  }

  function resumeReading(): void {
    const hasRoom = unanswered < context.submitStreamWindow && !call.writableNeedDrain
    if (hasRoom && !isOver) call.resume()
    else call.pause()
  }

  function endWhenDone(): void {
    if (!isHalfClosed || unanswered > 0 || isOver) return
    isOver = true
    call.end()
  }

  function end(error: unknown): void {
    isOver = true
    failStream(call, error)
  }
}
