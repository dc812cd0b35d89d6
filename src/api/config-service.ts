/** Service `Config`: the configuration that services consume. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { NodePort } from '../node/ports.js'
import { configMethods, entryBytes, historyItemBytes } from '../wire/index.js'
import { consistency } from './changes-service.js'
import * as fields from './fields.js'
import { serverStream, unary, type ServiceContext } from './handlers.js'
import { listLimitMax } from './limits.js'
import type { Watches } from './watches.js'

const usualHistoryLimit = 100

export function configService(
  context: ServiceContext & { readonly pageBytesMax: number },
  node: NodePort,
  watches: Watches,
): UntypedServiceImplementation {
  return {
    get: unary(context, configMethods.get, async (request) => {
      const path = fields.path(request.path)
      const { value, revision } = await node.read(consistency(request), (reads) => reads.get(path))
      if (value === undefined) {
        throw new CountersignError('UNKNOWN_PATH', `Nothing is set at ${path}.`, {
          details: { path, revision },
        })
      }
      return { entry: value, revision }
    }),
    list: unary(context, configMethods.list, async (request) => {
      const prefix = fields.prefix(request.prefix)
      const limit = fields.limit(request.limit, listLimitMax)
      const after = request.after === '' ? {} : { after: fields.path(request.after) }
      const { value, revision } = await node.read(consistency(request), (reads) =>
        reads.list(prefix, { limit, ...after }),
      )
      const entries = firstBytes(value, entryBytes, context.pageBytesMax)
      const isLast = entries.length === value.length && value.length < limit
      return { entries, revision, next: isLast ? '' : (entries.at(-1)?.path ?? '') }
    }),
    watch: serverStream(context, configMethods.watch, (request, call) => {
      watches.open(call, { ...request, prefix: fields.prefix(request.prefix) })
    }),
    history: unary(context, configMethods.history, async (request) => {
      const path = fields.path(request.path)
      const limit = fields.limit(request.limit, usualHistoryLimit)
      const before = request.before === 0 ? {} : { before: request.before }
      const { value, revision } = await node.read(consistency(request), (reads) =>
        reads.history(path, { limit, ...before }),
      )
      return { items: firstBytes(value, historyItemBytes, context.pageBytesMax), revision }
    }),
  }
}

/** As many from the front as fit; always one, so that paging goes on. */
function firstBytes<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  bytesMax: number,
): readonly T[] {
  let bytes = 0
  const end = items.findIndex((item, i) => {
    bytes += bytesOf(item)
    return bytes > bytesMax && i > 0
  })
  return end < 0 ? items : items.slice(0, end)
}
