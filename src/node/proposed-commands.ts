/**
 * Commands that this node put into the log itself, by the very payload object that the log keeps.
 * A leader that applies them need not decode its own bytes again, and what its pre-check found out
 * about the command object is still known (src/machine/reading.ts). Whoever got the bytes from a
 * peer or from the disk decodes them.
 */
import type { Command } from '../machine/index.js'
import { decodeCommand, encodeCommand } from '../wire/index.js'

export class ProposedCommands {
  readonly #byPayload = new WeakMap<Uint8Array, Command>()

  encode(command: Command): Uint8Array {
    const payload = encodeCommand(command)
    this.#byPayload.set(payload, command)
    return payload
  }

  /** Once: the log outlives the command. */
  take(payload: Uint8Array): Command {
    const command = this.#byPayload.get(payload)
    if (command === undefined) return decodeCommand(payload)
    this.#byPayload.delete(payload)
    return command
  }
}
