/** Nodes as the approved documents have them, and the open changes that are about one. */
import { decodeDocuments, type GenesisNode, type Op } from '../approval/index.js'
import type { CountersignClient } from '../client/index.js'
import { CountersignError } from '../errors.js'
import type { ChangeSummary } from '../machine/index.js'

export const nodePath = (id: string): string => `/sys/nodes/${id}`

/** By id. */
export async function readNodes(client: CountersignClient): Promise<readonly GenesisNode[]> {
  const { value: entries } = await client.list('/sys/nodes/')
  const ops = entries.flatMap(({ path, content }): Op[] =>
    content.kind === 'value' ? [{ action: 'put', path, value: content.value }] : [],
  )
  const decoded = decodeDocuments(ops)
  if (decoded.kind === 'refused') throw CountersignError.fromRefusal(decoded.refusal)
  return decoded.documents.flatMap((document) =>
    document.kind === 'node' && document.node !== 'deleted' ? [document.node] : [],
  )
}

/** The newest open change that writes the document of this node. */
export async function openChangeOf(
  client: CountersignClient,
  id: string,
): Promise<ChangeSummary | undefined> {
  const { value: changes } = await client.listChanges({
    states: ['OPEN', 'APPROVED'],
    prefix: nodePath(id),
    limit: 1,
  })
  return changes[0]
}
