/**
 * A refusal for tools that know gRPC and nothing of us: a `google.rpc.Status` with one `ErrorInfo`,
 * in the trailer where they look for it (https://google.aip.dev/193). The facts are not in it; they
 * travel typed in our own trailer (docs/decisions/020).
 */
import type { Refusal } from '../errors.js'
import { google } from './protobuf.js'

export const statusDetailsTrailer = 'grpc-status-details-bin'

const errorDomain = 'countersign'

/** `grpcCode`: the number of the status that the call ends with; `sentence`: its text. */
export function encodeStatusDetails(
  grpcCode: number,
  sentence: string,
  { code }: Pick<Refusal, 'code'>,
): Uint8Array {
  const info = google.rpc.ErrorInfo.encode({ reason: code, domain: errorDomain }).finish()
  return google.rpc.Status.encode({
    code: grpcCode,
    message: sentence,
    details: [{ type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value: info }],
  }).finish()
}
