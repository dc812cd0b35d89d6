/**
 * A private key under a passphrase: our own container, because the encrypted PKCS#8 that Node
 * writes has PBKDF2 with 2,048 rounds, which a graphics card tries millions of times a second. Here
 * each try costs 128 MiB of memory. docs/signing.md has the bytes.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'

export const sealedLabel = 'COUNTERSIGN SEALED KEY'

/** The container's name and version, the first bytes of it. */
const magic = Buffer.from('CSK1')
const saltBytes = 16
const nonceBytes = 12
const tagBytes = 16
/** Magic, log2 N, r, p. */
const headBytes = magic.length + 3

export interface ScryptCost {
  readonly log2N: number
  readonly r: number
  readonly p: number
}

/** OWASP's first choice; about half a second. */
export const usualCost: ScryptCost = { log2N: 17, r: 8, p: 1 }

/** A file must not make its reader take all memory, or wait for ever. */
export const costMin: ScryptCost = { log2N: 14, r: 8, p: 1 }
const costMax: ScryptCost = { log2N: 20, r: 8, p: 4 }

export type OpenedKey =
  | { readonly kind: 'opened'; readonly key: Buffer }
  | { readonly kind: 'not sealed' | 'damaged' | 'cost' | 'passphrase' }

/** PEM around the container. */
export async function sealKey(
  key: Uint8Array,
  passphrase: string,
  cost: ScryptCost = usualCost,
): Promise<string> {
  const head = Buffer.concat([magic, Buffer.from([cost.log2N, cost.r, cost.p])])
  const salt = randomBytes(saltBytes)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', await derived(passphrase, salt, cost), nonce)
  const before = Buffer.concat([head, salt])
  cipher.setAAD(before)
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()])
  const container = Buffer.concat([before, nonce, ciphertext, cipher.getAuthTag()])
  const lines = container.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${sealedLabel}-----`, ...lines, `-----END ${sealedLabel}-----`, ''].join('\n')
}

export async function openKey(pem: string, passphrase: string): Promise<OpenedKey> {
  const [, body] = new RegExp(`-----BEGIN ${sealedLabel}-----([^-]*)-----END`).exec(pem) ?? []
  if (body === undefined) return { kind: 'not sealed' }
  const container = Buffer.from(body, 'base64')
  const isLongEnough = container.length > headBytes + saltBytes + nonceBytes + tagBytes
  if (!isLongEnough || !container.subarray(0, magic.length).equals(magic)) {
    return { kind: 'damaged' }
  }
  const [log2N = 0, r = 0, p = 0] = container.subarray(magic.length, headBytes)
  const cost = { log2N, r, p }
  if (!isWithinBounds(cost)) return { kind: 'cost' }
  const before = container.subarray(0, headBytes + saltBytes)
  const nonce = container.subarray(before.length, before.length + nonceBytes)
  const secret = await derived(passphrase, before.subarray(headBytes), cost)
  const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: tagBytes })
  decipher.setAAD(before)
  decipher.setAuthTag(container.subarray(-tagBytes))
  const ciphertext = container.subarray(before.length + nonceBytes, -tagBytes)
  const start = decipher.update(ciphertext)
  try {
    return { kind: 'opened', key: Buffer.concat([start, decipher.final()]) }
  } catch {
    return { kind: 'passphrase' }
  }
}

function isWithinBounds(cost: ScryptCost): boolean {
  return (['log2N', 'r', 'p'] as const).every(
    (name) => cost[name] >= costMin[name] && cost[name] <= costMax[name],
  )
}

function derived(passphrase: string, salt: Uint8Array, { log2N, r, p }: ScryptCost) {
  const N = 2 ** log2N
  // What scrypt itself says that it needs is 128 N r, and a little.
  const maxmem = 128 * r * (N + p + 2)
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(passphrase, salt, 32, { N, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
