/** The client: every call of `countersign.v1`, to whichever node can answer it. */
import { setMaxListeners } from 'node:events'
import { CountersignError } from '../errors.js'
import {
  changesMethods,
  clusterMethods,
  configMethods,
  type Method,
  type StatusView,
} from '../wire/index.js'
import { callUntilAnswered, type Attempts, type CallPlan } from './calls.js'
import { Connections, splitAddress } from './connections.js'
import { LeaderSearch } from './leader.js'
import { allPages } from './pages.js'
import { SecondOpinion } from './second-opinion.js'
import { ReroutingSubmitStream } from './submit-stream.js'
import type {
  CallOptions,
  ConnectOptions,
  CountersignClient,
  ReadOptions,
  SignedMessage,
  SubmitResult,
} from './types.js'
import { watch } from './watch.js'

const usual = {
  deadlineMs: 10_000,
  backoffMs: { min: 10, max: 1_000 },
  watchSilenceMs: 15_000,
} as const

/** Opens nothing yet: connections are made when they are needed. Throws INPUT_INVALID. */
export function connect(options: ConnectOptions): CountersignClient {
  const addresses = [...new Set(options.addresses)]
  if (addresses.length === 0) {
    throw new CountersignError('INPUT_INVALID', 'At least one address of a node is needed.')
  }
  for (const address of addresses) splitAddress(address)
  const closing = new AbortController()
  // Each pending call listens to it; Node warns of eleven.
  setMaxListeners(0, closing.signal)
  const connections = new Connections(options)
  const search = new LeaderSearch(addresses)
  const attempts: Attempts = {
    connections,
    search,
    backoffMs: options.backoffMs ?? usual.backoffMs,
    secondOpinion: new SecondOpinion({ connections, search, addresses, closed: closing.signal }),
  }

  function call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    how: { readonly target: CallPlan['target']; readonly isWrite: boolean },
    callOptions: CallOptions = {},
  ): Promise<Response> {
    const { signal } = callOptions
    return callUntilAnswered(attempts, method, request, {
      ...how,
      deadlineMs: callOptions.deadlineMs ?? options.deadlineMs ?? usual.deadlineMs,
      signal: signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]),
    })
  }

  const submit =
    (method: Method<SignedMessage, SubmitResult>) =>
    (message: SignedMessage, callOptions?: CallOptions): Promise<SubmitResult> =>
      call(method, message, { target: 'leader', isWrite: true }, callOptions)

  function read<Request extends { readonly local: boolean }, Response>(
    method: Method<Request, Response>,
    request: Request,
    readOptions: ReadOptions,
  ): Promise<Response> {
    const target = request.local ? 'any' : 'leader'
    return call(method, request, { target, isWrite: false }, readOptions)
  }

  const client: CountersignClient = {
    propose: submit(changesMethods.propose),
    decide: submit(changesMethods.decide),
    withdraw: submit(changesMethods.withdraw),
    activate: submit(changesMethods.activate),
    acknowledge: submit(changesMethods.acknowledge),
    proposeStream: () =>
      new ReroutingSubmitStream(attempts, {
        deadlineMs: options.deadlineMs ?? usual.deadlineMs,
        closed: closing.signal,
      }),

    async preview(message, callOptions) {
      const how = { target: 'leader', isWrite: false } as const
      const { preview, revision } = await call(changesMethods.preview, message, how, callOptions)
      return { value: preview, revision }
    },

    async getChange(changeId, readOptions = {}) {
      const request = {
        changeId,
        local: readOptions.local ?? false,
        asker: readOptions.asker ?? '',
      }
      const { change, revision } = await read(changesMethods.get, request, readOptions)
      return { value: change, revision }
    },

    listChanges: (query = {}) =>
      allPages(query.limit, async (limit, before: number) => {
        const request = {
          states: query.states ?? [],
          prefix: query.prefix ?? '',
          author: query.author ?? '',
          limit,
          before,
          local: query.local ?? false,
        }
        const { changes, revision, next } = await read(changesMethods.list, request, query)
        return { items: changes, revision, next }
      }),

    async get(path, readOptions = {}) {
      const request = { path, local: readOptions.local ?? false }
      const { entry, revision } = await read(configMethods.get, request, readOptions)
      return { value: entry, revision }
    },

    list: (prefix, readOptions = {}) =>
      allPages(undefined, async (limit, _before, after) => {
        const request = { prefix, local: readOptions.local ?? false, limit, after }
        const { entries, revision, next } = await read(configMethods.list, request, readOptions)
        return { items: entries, revision, next }
      }),

    history: (path, query = {}) =>
      allPages(query.limit, async (limit, before) => {
        const request = { path, local: query.local ?? false, limit, before }
        const { items, revision } = await read(configMethods.history, request, query)
        // A page may be short of `limit` for its size in bytes: only an empty one is the end.
        return { items, revision, next: items.at(-1)?.modRevision ?? 0 }
      }),

    watch: (watchOptions) =>
      watch({
        ...watchOptions,
        attempts,
        addresses,
        silenceMs: options.watchSilenceMs ?? usual.watchSilenceMs,
        closed: closing.signal,
        snapshot: () =>
          client.list(
            watchOptions.prefix,
            watchOptions.signal === undefined ? {} : { signal: watchOptions.signal },
          ),
      }),

    status: (address, callOptions): Promise<StatusView> => {
      const target = address === undefined ? 'any' : { address }
      return call(clusterMethods.status, {}, { target, isWrite: false }, callOptions)
    },

    addresses,

    close() {
      closing.abort()
      connections.close()
    },
  }
  return client
}
