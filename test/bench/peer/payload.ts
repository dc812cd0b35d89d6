/**
 * The size of a command, the same for both systems: the mean of what this build sends in the bench,
 * one proposal and one withdrawal in turn. A put of etcd has as many bytes, its key among them.
 */
import { changesMethods } from '../../../src/wire/index.js'
import { generateSigners } from '../bench-cluster.js'
import { freshPath, proposal, withdrawal } from '../messages.js'

export function meanCommandBytes(): number {
  // Ids and keys have a fixed length, so any will do.
  const people = { clusterId: '00'.repeat(32), signers: generateSigners() }
  const proposed = proposal(people, { path: freshPath(), modRevision: 0, value: 1 })
  const sizes = [proposed.message, withdrawal(people, proposed)].map(
    (message) => changesMethods.propose.request.encode(message).length,
  )
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
}
