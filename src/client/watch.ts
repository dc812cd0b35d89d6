/**
 * A watch that survives its nodes. It remembers the last complete revision and resumes after it with
 * another node, so that every activation is handed out once. Several activations may share a
 * revision: until it is complete, those handed out already are remembered by change.
 */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js'
import { CountersignError } from '../errors.js'
import type { EntryView } from '../machine/index.js'
import { configMethods, type WatchResponse } from '../wire/index.js'
import { Backoff } from './backoff.js'
import { asIs, toBuffer } from './attempt.js'
import { cancelled, elsewhere, later, type Attempts } from './calls.js'
import { failureOf } from './from-grpc.js'
import type { Read, WatchEvent, WatchOptions } from './types.js'

const method = configMethods.watch

export interface WatchPlan extends WatchOptions {
  readonly attempts: Attempts
  readonly addresses: readonly string[]
  readonly silenceMs: number
  /** The client as a whole. */
  readonly closed: AbortSignal
  readonly snapshot: () => Promise<Read<readonly EntryView[]>>
}

/** What has been handed out. */
class Cursor {
  complete: number | undefined
  readonly #ofNext = new Set<string>()

  constructor(afterRevision: number | undefined) {
    this.complete = afterRevision
  }

  /** False for what is known already. */
  takes(message: WatchResponse): boolean {
    if (message.kind !== 'batch') {
      if (this.complete === undefined || message.revision > this.complete) {
        this.completeAt(message.revision)
      }
      return true
    }
    if (this.complete !== undefined && message.revision <= this.complete) return false
    const isKnown = this.#ofNext.has(message.changeId)
    if (message.more) this.#ofNext.add(message.changeId)
    else this.completeAt(message.revision)
    return !isKnown
  }

  completeAt(revision: number): void {
    this.complete = revision
    this.#ofNext.clear()
  }
}

export async function* watch(plan: WatchPlan): AsyncIterableIterator<WatchEvent> {
  const { attempts, addresses } = plan
  const cursor = new Cursor(plan.afterRevision)
  const backoff = new Backoff(attempts.backoffMs, addresses.length)
  const signal =
    plan.signal === undefined ? plan.closed : AbortSignal.any([plan.closed, plan.signal])
  // Watchers spread over the nodes: any of them serves any watch.
  let turn = Math.floor(Math.random() * addresses.length)
  /** Who is no node of this cluster; a watch that nobody else serves would resume for ever. */
  const misfits = new Set<string>()

  for (;;) {
    const address = addresses[turn % addresses.length] ?? ''
    turn += 1
    let failure: CountersignError | null = null
    for await (const message of messages(plan, address, cursor, signal)) {
      if (message instanceof CountersignError) {
        failure = message
        break
      }
      if (message.kind === 'started') {
        backoff.reset()
        misfits.clear()
      }
      if (cursor.takes(message)) yield eventOf(message, address)
    }
    if (plan.closed.aborted) throw cancelled()
    if (signal.aborted) return
    const error = failure ?? new CountersignError('UNREACHABLE', `${address} ended the watch.`)
    const isMisfit = error.code === 'CERTIFICATE_MISFIT'
    if (isMisfit) misfits.add(address)
    if (error.code === 'COMPACTED') {
      const { value, revision } = await plan.snapshot()
      cursor.completeAt(revision)
      yield { kind: 'snapshot', revision, entries: value, reason: error }
    } else if (mayResume(error) || (isMisfit && misfits.size < addresses.length)) {
      yield { kind: 'resuming', error }
      await backoff.wait(signal)
    } else {
      throw error
    }
  }
}

function mayResume(error: CountersignError): boolean {
  const { code } = error
  return code === 'UNREACHABLE' || code === 'SLOW_WATCHER' || elsewhere.has(code) || later.has(code)
}

function eventOf(message: WatchResponse, address: string): WatchEvent {
  return message.kind === 'started' ? { ...message, address } : message
}

/** The messages of one stream; its end, if it was none of ours, as the last of them. */
async function* messages(
  plan: WatchPlan,
  address: string,
  cursor: Cursor,
  signal: AbortSignal,
): AsyncGenerator<WatchResponse | CountersignError> {
  const { connections } = plan.attempts
  const client = connections.to(address)
  const afterRevision = cursor.complete
  const request = method.request.encode({
    prefix: plan.prefix,
    ...(afterRevision === undefined ? {} : { afterRevision }),
  })
  const call = client.makeServerStreamRequest(method.path, asIs, asIs, toBuffer(request))
  // The iterator reports errors; one after its end has nobody to go to.
  call.on('error', () => undefined)
  const cancel = (): void => {
    call.cancel()
  }
  signal.addEventListener('abort', cancel, { once: true })
  try {
    for await (const bytes of withSilence(call, plan.silenceMs)) {
      if (signal.aborted) return
      yield method.response.decode(bytes)
    }
  } catch (error) {
    if (error instanceof CountersignError) {
      yield error
    } else {
      const failure = failureOf(error as ServiceError, address)
      if (failure.kind === 'lost') connections.drop(address, client)
      yield failure.error
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    call.cancel()
  }
}

/** Progress comes every few seconds: who is silent for long is gone, even if nothing reset. */
async function* withSilence(
  call: ClientReadableStream<Buffer>,
  silenceMs: number,
): AsyncGenerator<Buffer> {
  const iterator = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  for (;;) {
    // Only the time that we wait counts, not the time that our own caller takes.
    const timer = setTimeout(() => {
      call.cancel()
    }, silenceMs)
    let result: IteratorResult<Buffer>
    try {
      result = await iterator.next()
    } finally {
      clearTimeout(timer)
    }
    if (result.done === true) return
    yield result.value
  }
}
