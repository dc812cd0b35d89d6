/**
 * Between grpc-js and the services: bytes are decoded here, errors become statuses here, and nothing
 * is ever thrown into the library.
 */
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerDuplexStream,
  ServerWritableStream,
} from '@grpc/grpc-js'
import type { Method } from '../wire/index.js'
import type { Gate } from './gate.js'
import type { Logger } from './logger.js'
import { toGrpcStatus } from './to-grpc-status.js'
import { CountersignError } from '../errors.js'

export interface ServiceContext {
  readonly gate: Gate
  readonly logger: Logger
}

export interface Caller {
  /** ip:port. */
  readonly peer: string
  /** Aborted when the caller is gone or its deadline has passed. */
  readonly isGone: () => boolean
}

type Bytes = MethodDefinition<Buffer, Buffer>

/** Bytes in, bytes out: decoding in the library would answer garbage with its own words. */
export function definitionOf(method: AnyMethod): Bytes {
  return {
    path: method.path,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  }
}

export interface AnyMethod {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
}

export function unary<Request, Response>(
  context: ServiceContext,
  method: Method<Request, Response>,
  run: (request: Request, caller: Caller) => Promise<Response>,
): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const caller = { peer: call.getPeer(), isGone: () => call.cancelled }
    context.gate
      .pass(caller.peer, async () => run(method.request.decode(call.request), caller))
      .then((response) => {
        callback(null, toBuffer(method.response.encode(response)))
      })
      .catch((error: unknown) => {
        logFailure(context.logger, method.path, error)
        callback(toGrpcStatus(error))
      })
  }
}

/** `serve` ends the call itself, or throws before it began. */
export function serverStream<Request, Response>(
  context: ServiceContext,
  method: Method<Request, Response>,
  serve: (request: Request, call: ServerWritableStream<Buffer, Buffer>) => void,
): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    try {
      context.gate.admit(call.getPeer())
      serve(method.request.decode(call.request), call)
    } catch (error) {
      context.gate.noted(call.getPeer(), CountersignError.from(error).code)
      logFailure(context.logger, method.path, error)
      failStream(call, error)
    }
  }
}

export function bidiStream(
  context: ServiceContext,
  method: AnyMethod,
  serve: (call: ServerDuplexStream<Buffer, Buffer>) => void,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    try {
      context.gate.admit(call.getPeer())
      serve(call)
    } catch (error) {
      logFailure(context.logger, method.path, error)
      failStream(call, error)
    }
  }
}

/** Ends a stream with a status; grpc-js takes it from an `error` event. */
export function failStream(
  call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  error: unknown,
): void {
  call.emit('error', toGrpcStatus(error))
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Only what nobody expected is worth a line; refusals are answers. */
export function logFailure(logger: Logger, path: string, thrown: unknown): void {
  const error = CountersignError.from(thrown)
  if (error.code === 'INTERNAL') {
    logger.error({ path, error: thrown }, 'a call failed in a way that nobody foresaw')
  } else {
    logger.debug({ path, code: error.code }, 'call refused')
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes
}
