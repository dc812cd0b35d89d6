/** The document of a node at `/sys/nodes/<id>`, and in genesis. */
import type { Refusal } from '../../errors.js'
import { decodePublicKey } from '../../signing/index.js'
import { address } from '../forms/address.js'
import { invalid, object, oneOf, required, type Check } from '../forms/shape.js'
import { base64, hex16, id, text } from '../forms/text.js'
import { limits } from '../limits.js'
import type { GenesisNode } from '../types.js'

export const nodeKeyFields = ['nodeKey', 'logKey', 'cosignerKey'] as const

const fields = {
  id: required(id),
  owner: required(text(limits.nodeOwnerBytesMax)),
  role: required(oneOf('voter', 'learner')),
  incarnation: required(hex16),
  nodeKey: required(base64),
  logKey: required(base64),
  cosignerKey: required(base64),
}

/** As feature level 1 took it in genesis: any text is an address. */
export const foundingNode: Check = object<GenesisNode>({
  ...fields,
  address: required(text(limits.addressBytesMax, { min: 1 })),
})

/** From feature level 2 on: dialled as it stands, with three sound and different keys. */
export const node: Check = object<GenesisNode>(
  { ...fields, address: required(address) },
  judgeNodeKeys,
)

function judgeNodeKeys(one: GenesisNode, at: string): Refusal | null {
  const seen = new Set<string>()
  for (const field of nodeKeyFields) {
    const decoded = decodePublicKey(one[field])
    if (decoded.kind === 'refused') return invalid(`${at}.${field}`, decoded.refusal.message)
    if (seen.has(one[field])) return invalid(`${at}.${field}`, 'is another key of this node too')
    seen.add(one[field])
  }
  return null
}
