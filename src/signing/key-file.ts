/**
 * Private keys in files: PKCS#8 PEM, mode 0600, or the container of sealed-key.ts where there is a
 * passphrase; encrypted PKCS#8, which earlier builds wrote, is read. A side door, because it reads
 * and writes. The key itself never becomes a field of anything that could be printed.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { CountersignError } from '../errors.js'
import type { Signer } from './envelope.js'
import { keyIdOf } from './public-key.js'
import { openKey, sealedLabel, sealKey, type ScryptCost } from './sealed-key.js'

/** An encrypted PKCS#8 Ed25519 key has about 400 bytes; anything much larger is another file. */
const fileBytesMax = 16 * 1024
/** Read, write or execute for group or others. */
const othersMask = 0o077
/** PKCS#8 DER of an Ed25519 key up to its 32-byte seed (RFC 8410, section 7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

const privateKeys = new WeakMap<Signer, KeyObject>()

export interface Passphrase {
  readonly passphrase?: string
}

export interface WriteOptions extends Passphrase {
  /** Less than usual, for tests. */
  readonly cost?: ScryptCost
}

/** A new key from the system's random source. */
export function generateSigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey)
}

/** The key of RFC 8032's 32-byte secret: for fixtures and test vectors. */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes')
  const key = Buffer.concat([pkcs8Prefix, seed])
  return signerOf(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
}

/** Writes and syncs a new file; one that exists is never replaced. Throws KEY_FILE. */
export async function writeKeyFile(
  path: string,
  signer: Signer,
  { passphrase, cost }: WriteOptions = {},
): Promise<void> {
  const privateKey = privateKeys.get(signer)
  if (privateKey === undefined) throw keyFile(path, 'the key does not live in this process')
  if (passphrase === '') throw keyFile(path, 'an empty passphrase protects nothing')
  const pem =
    passphrase === undefined
      ? privateKey.export({ type: 'pkcs8', format: 'pem' })
      : await sealKey(privateKey.export({ type: 'pkcs8', format: 'der' }), passphrase, cost)
  let file: FileHandle | undefined
  try {
    file = await open(path, 'wx', 0o600)
    await file.writeFile(pem)
    await file.sync()
  } catch (cause) {
    const exists = codeOf(cause) === 'EEXIST'
    throw keyFile(path, exists ? 'it exists already' : 'it cannot be written', cause)
  } finally {
    await file?.close()
  }
}

/** Refuses a file that others may read, or that holds another kind of key. Throws KEY_FILE. */
export async function readKeyFile(path: string, options: Passphrase = {}): Promise<Signer> {
  const pem = await readPrivate(path)
  const privateKey = await parsePem(path, pem, options.passphrase)
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw keyFile(path, `it holds a key of type ${privateKey.asymmetricKeyType}, not Ed25519`)
  }
  return signerOf(privateKey)
}

async function readPrivate(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK opening a pipe would wait for its writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    // The mode of the file that is open, not of whatever stands at the path a moment later.
    const { mode, size } = await file.stat().then((stat) => {
      if (!stat.isFile()) throw keyFile(path, 'it is not a regular file')
      return stat
    })
    // Windows has no such mode bits.
    if (process.platform !== 'win32' && (mode & othersMask) !== 0) {
      const found = (mode & 0o777).toString(8).padStart(4, '0')
      throw keyFile(path, `others may use it (mode ${found}); run \`chmod 600 ${path}\``)
    }
    if (size > fileBytesMax) throw keyFile(path, 'it is too large for a key')
    return await file.readFile('utf8')
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const missing = codeOf(cause) === 'ENOENT'
    throw keyFile(path, missing ? 'there is no such file' : 'it cannot be read', cause)
  } finally {
    await file?.close()
  }
}

/** Whether the text of a key file is one that a passphrase opens. */
export function needsPassphrase(pem: string): boolean {
  return isSealed(pem) || pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
}

const isSealed = (pem: string): boolean => pem.includes(`-----BEGIN ${sealedLabel}-----`)

async function parsePem(
  path: string,
  pem: string,
  passphrase: string | undefined,
): Promise<KeyObject> {
  const encrypted = needsPassphrase(pem)
  if (!encrypted && !pem.includes('-----BEGIN PRIVATE KEY-----')) {
    throw keyFile(path, 'it is not a PKCS#8 private key in PEM')
  }
  if (encrypted && passphrase === undefined) throw keyFile(path, 'it needs its passphrase')
  if (isSealed(pem)) return unsealed(path, pem, passphrase ?? '')
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(encrypted ? { passphrase } : {}) })
  } catch (cause) {
    throw keyFile(path, encrypted ? 'the passphrase does not open it' : 'the PEM is damaged', cause)
  }
}

async function unsealed(path: string, pem: string, passphrase: string): Promise<KeyObject> {
  const opened = await openKey(pem, passphrase)
  switch (opened.kind) {
    case 'opened':
      return createPrivateKey({ key: opened.key, format: 'der', type: 'pkcs8' })
    case 'passphrase':
      throw keyFile(path, 'the passphrase does not open it')
    case 'cost':
      throw keyFile(path, 'it asks for more or less work than any build of countersign writes')
    default:
      throw keyFile(path, 'the sealed key is damaged, or of a later version')
  }
}

function signerOf(privateKey: KeyObject): Signer {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const publicKeySpki = new Uint8Array(spki)
  const signer: Signer = {
    keyId: keyIdOf(publicKeySpki),
    publicKeySpki,
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  }
  privateKeys.set(signer, privateKey)
  return signer
}

function keyFile(path: string, why: string, cause?: unknown): CountersignError {
  return new CountersignError('KEY_FILE', `key file ${path}: ${why}`, { cause, details: { path } })
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}
