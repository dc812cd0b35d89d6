/** An approval that somebody else signed with a key of their own, in the name of a person. */
import { composeDecision, type SignedMessage } from '../../src/client/index.js'
import { pae } from '../../src/signing/index.js'
import { generateSigner } from '../../src/signing/key-file.js'
import type { Stage } from './stage.js'

export async function forgeApproval(
  stage: Stage,
  person: string,
  changeId: string,
): Promise<SignedMessage> {
  const { value: change } = await stage.client.getChange(changeId, { asker: person })
  const { keyId } = await stage.signerOf(person)
  const { clusterId } = stage.cluster.file
  const composed = composeDecision({ clusterId, person, keyId, change, decision: 'approve' })
  const { type, bytes, detached } = composed
  // Every field is right, key id included; only the signature comes from another key.
  const signature = generateSigner().sign(pae(type, bytes))
  return { envelope: { type, body: bytes, signature, keyId }, detached }
}
