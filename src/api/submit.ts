/** One signed message to the node and its result back: an answer, or a refusal to throw. */
import { CountersignError } from '../errors.js'
import type { Command, CommandResult } from '../machine/index.js'
import type { NodePort } from '../node/ports.js'
import type { Accepted } from '../wire/index.js'
import type { Gate } from './gate.js'

export async function submit(node: NodePort, gate: Gate, command: Command): Promise<Accepted> {
  const keyId = command.kind === 'submit' ? command.envelope.keyId : ''
  gate.admitSigner(keyId)
  return acceptedOf(await node.submit(command), gate, keyId)
}

function acceptedOf(result: CommandResult, gate: Gate, keyId: string): Accepted {
  if (result.kind === 'accepted') {
    const { changeId, revision, state, index, activatedAt, repeated } = result
    return {
      ...(changeId === undefined ? {} : { changeId }),
      ...(revision === undefined ? {} : { revision }),
      ...(state === undefined ? {} : { state }),
      index,
      ...(activatedAt === undefined ? {} : { activatedAt }),
      repeated,
    }
  }
  const { code, message, details } = result.refusal
  if (!result.repeated) gate.signedRefusal(keyId, code)
  // Where the refusal is recorded: it is an entry of the log, and audited.
  const recorded = { logIndex: result.index, repeated: result.repeated }
  throw new CountersignError(code, message, {
    details: result.index === 0 ? { ...details } : { ...details, ...recorded },
  })
}
