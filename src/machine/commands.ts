/**
 * What a `command` entry of the Raft log says. The wire room decodes the stored bytes into these;
 * the state machine judges them. Formats: proto/countersign/v1/log.proto.
 */
import type { Envelope } from '../signing/index.js'

export type Command =
  /**
   * One signed message (propose, approve, reject, revoke, withdraw, activate, ack) with the
   * detached parts that it names: canonical JSON `{salt, value}` each.
   */
  | {
      readonly kind: 'submit'
      readonly envelope: Envelope
      readonly detached: readonly Uint8Array[]
    }
  /** Log time: stamps of exactly a majority of the voters. */
  | { readonly kind: 'tick'; readonly stamps: readonly Envelope[] }
  /**
   * Bytes that cannot be decoded as a command of a known format version. Changes nothing and
   * accuses the leader that put it there. (An unknown *version* never gets here: the node halts.)
   */
  | { readonly kind: 'undecodable'; readonly reason: string }

export interface CommittedCommand {
  readonly index: number
  readonly term: number
  readonly command: Command
}
