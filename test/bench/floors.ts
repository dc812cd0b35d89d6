/** What the machine alone can do: the two operations that every command must pay for. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { logIndex, term } from '../../src/raft/index.js'
import { rawPublicKey, verifyStrict } from '../../src/signing/index.js'
import { generateSigner } from '../../src/signing/key-file.js'
import { initialiseDataDirectory, openStores } from '../../src/storage/index.js'

const runMs = 1500
/** About the size of a signed proposal in the log. */
const payloadBytes = 700

/** Ed25519 verifications a second on one core, over messages of the size of a proposal. */
export function verificationsPerSecond(): number {
  const signer = generateSigner()
  const publicKey = rawPublicKey(signer.publicKeySpki)
  if (publicKey === null) throw new Error('a generated key has no raw public key')
  const messages = Array.from({ length: 64 }, (_, n) => new Uint8Array(payloadBytes).fill(n))
  const signatures = messages.map((message) => signer.sign(message))
  let count = 0
  const begin = performance.now()
  while (performance.now() - begin < runMs) {
    messages.forEach((message, n) => {
      const signature = signatures[n]
      if (signature === undefined || !verifyStrict(publicKey, message, signature)) {
        throw new Error('a good signature was refused')
      }
    })
    count += messages.length
  }
  return (count * 1000) / (performance.now() - begin)
}

/** Durable log writes a second, one entry each: a synced LevelDB batch and the guard record. */
export async function durableWritesPerSecond(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'countersign-disk-'))
  try {
    const directory = path.join(folder, 'data')
    const identity = { clusterId: '00'.repeat(32), nodeId: 'bench', incarnation: '00'.repeat(16) }
    await initialiseDataDirectory({ directory, ...identity })
    const { logStore, stateStore } = await openStores({ directory, identity })
    const payload = new Uint8Array(payloadBytes)
    let index = 0
    const begin = performance.now()
    while (performance.now() - begin < runMs) {
      index += 1
      await logStore.write({
        hardState: { term: term(1), votedFor: 'bench', commit: logIndex(index - 1) },
        install: null,
        truncateAfter: null,
        purgeTo: null,
        entries: [{ index: logIndex(index), term: term(1), kind: 'command', payload }],
      })
    }
    const rate = (index * 1000) / (performance.now() - begin)
    await logStore.close()
    await stateStore.close()
    return rate
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
