/** Service `Changes`: signed messages in, changes out. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { ChangeFilter, Consistency, NodePort } from '../node/ports.js'
import type { PayloadWord } from '../signing/index.js'
import { changesMethods, type ListChangesRequest, type SignedMessage } from '../wire/index.js'
import { anyWord, commandOf, wordsOf } from './command.js'
import * as fields from './fields.js'
import { bidiStream, unary, type Caller, type ServiceContext } from './handlers.js'
import { submit } from './submit.js'
import { serveSubmitStream } from './submit-stream.js'

const usualLimit = 100

export function changesService(
  context: ServiceContext & { readonly submitStreamWindow: number },
  node: NodePort,
): UntypedServiceImplementation {
  const submitting = (words: readonly PayloadWord[]) => async (message: SignedMessage) =>
    submit(node, context.gate, commandOf(message, words))
  const methods = changesMethods
  return {
    propose: unary(context, methods.propose, submitting(wordsOf.propose)),
    decide: unary(context, methods.decide, submitting(wordsOf.decide)),
    withdraw: unary(context, methods.withdraw, submitting(wordsOf.withdraw)),
    activate: unary(context, methods.activate, submitting(wordsOf.activate)),
    acknowledge: unary(context, methods.acknowledge, submitting(wordsOf.acknowledge)),
    proposeStream: bidiStream(context, methods.proposeStream, (call) => {
      serveSubmitStream(call, { ...context, node })
    }),
    get: unary(context, methods.get, async (request) => {
      const id = fields.changeId(request.changeId)
      const asker = fields.optionalId(request.asker, 'asker')
      const { value, revision } = await node.read(consistency(request), (reads) =>
        reads.change(id, asker),
      )
      if (value === undefined) {
        throw new CountersignError('UNKNOWN_CHANGE', `There is no change ${id}.`, {
          details: { changeId: id },
        })
      }
      return { change: value, revision }
    }),
    list: unary(context, methods.list, async (request) => {
      const filter = filterOf(request)
      const { value, revision } = await node.read(consistency(request), (reads) =>
        reads.changes(filter),
      )
      const last = value.at(-1)
      const next = value.length < filter.limit || last === undefined ? 0 : last.openedIndex
      return { changes: value, revision, next }
    }),
    preview: unary(context, methods.preview, async (message: SignedMessage, _caller: Caller) => {
      const command = commandOf(message, anyWord)
      const { value, revision } = await node.read('linearizable', (reads) => reads.preview(command))
      return { preview: value, revision }
    }),
  }
}

export function consistency(request: { readonly local: boolean }): Consistency {
  return request.local ? 'local' : 'linearizable'
}

function filterOf(request: ListChangesRequest): ChangeFilter {
  const author = fields.optionalId(request.author, 'author')
  const states = fields.states(request.states)
  return {
    ...(states.length === 0 ? {} : { states }),
    ...(request.prefix === '' ? {} : { prefix: fields.prefix(request.prefix) }),
    ...(author === undefined ? {} : { author }),
    limit: fields.limit(request.limit, usualLimit),
    ...(request.before === 0 ? {} : { before: request.before }),
  }
}
