/**
 * The people of the simulation, their keys, and the founding document. The keys are the same in
 * every run (made once a process); what is signed differs. With the stub a person's signature is a
 * digest of key and message: as binding as the simulation needs, and thirty times cheaper than
 * Ed25519. Nodes sign their stamps with real keys always.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { Genesis, GenesisNode } from '../../../src/approval/index.js'
import { decodeGenesis } from '../../../src/approval/index.js'
import { exampleFounding, examplePeople, makeGenesis } from '../../../src/cli/founding/genesis.js'
import {
  encodeCanonical,
  keyIdOf,
  sha256,
  sha256Hex,
  rawPublicKey,
  toBase64,
  type Json,
  type Signer,
  type Verify,
} from '../../../src/signing/index.js'
import { rememberedVerify } from './remembered-verify.js'

export type PersonId = 'alice' | 'bob' | 'carol'

export const approvers: readonly PersonId[] = ['alice', 'bob', 'carol']

/** Virtual time zero on a right wall clock. */
export const epochMs = Date.UTC(2030, 0, 1)

/** PKCS#8 DER of an Ed25519 key up to its 32-byte seed (RFC 8410, section 7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

const realSigners = new Map<string, Signer>()

/** The key that this name stands for, always the same one. */
export function realSigner(name: string): Signer {
  const known = realSigners.get(name)
  if (known !== undefined) return known
  const seed = createHash('sha256').update(`simulated ${name}`).digest()
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKeySpki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const signer: Signer = {
    keyId: keyIdOf(publicKeySpki),
    publicKeySpki,
    sign: (message) => sign(null, message, key),
  }
  realSigners.set(name, signer)
  return signer
}

export interface People {
  readonly signers: ReadonlyMap<PersonId, Signer>
  /** One cache for all nodes: the answer depends on the input alone. */
  readonly verify: Verify
}

export function makePeople(realSignatures: boolean): People {
  const signers = new Map<PersonId, Signer>()
  for (const id of approvers) {
    const real = realSigner(id)
    signers.set(id, realSignatures ? real : stubSigner(real))
  }
  const verify = rememberedVerify()
  if (realSignatures) return { signers, verify }
  const verifyStub: Verify = (publicKey, message, signature) =>
    Buffer.compare(tagOf(publicKey, message), signature) === 0 ||
    verify(publicKey, message, signature)
  return { signers, verify: verifyStub }
}

function stubSigner(real: Signer): Signer {
  const publicKey = rawPublicKey(real.publicKeySpki)
  if (publicKey === null) throw new Error('a simulated key is no Ed25519 key')
  return { ...real, sign: (message) => tagOf(publicKey, message) }
}

function tagOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = sha256(publicKey, message)
  return Buffer.concat([digest, digest])
}

export interface Founded {
  readonly genesis: Genesis
  readonly clusterId: string
}

const founded = new Map<string, Founded>()

/** The founding document of a cluster of `count` voters, n1 to n<count>, at this feature level. */
export function found(count: number, featureLevel: number): Founded {
  const name = `${String(count)} at level ${String(featureLevel)}`
  const known = founded.get(name)
  if (known !== undefined) return known
  const nodes = Array.from({ length: count }, (_, at) => foundingNode(`n${String(at + 1)}`))
  const keys = examplePeople.map(({ id, uses }) => ({
    keyId: realSigner(id).keyId,
    person: id,
    algorithm: 'ed25519' as const,
    publicKey: toBase64(realSigner(id).publicKeySpki),
    uses,
    status: 'active' as const,
  }))
  const made = { ...makeGenesis(exampleFounding(keys), nodes, epochMs), featureLevel }
  const decoded = decodeGenesis(encodeCanonical(made as unknown as Json))
  if (decoded.kind === 'refused') throw new Error(decoded.refusal.message)
  founded.set(name, decoded)
  return decoded
}

/** A node as genesis or a change of /sys/nodes names it. */
export function foundingNode(id: string): GenesisNode {
  return {
    id,
    owner: 'simulation',
    address: `${id}:7100`,
    role: 'voter',
    incarnation: incarnationOf(id, 1),
    nodeKey: toBase64(realSigner(`${id} node`).publicKeySpki),
    logKey: toBase64(realSigner(`${id} log`).publicKeySpki),
    cosignerKey: toBase64(realSigner(`${id} cosigner`).publicKeySpki),
  }
}

/** A replaced disk is another incarnation of the same id. */
export function incarnationOf(id: string, disk: number): string {
  return sha256Hex(Buffer.from(`${id} disk ${String(disk)}`)).slice(0, 32)
}
