import { generateKeyPairSync } from 'node:crypto'
import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import {
  payloadType,
  rawPublicKey,
  signBody,
  toHex,
  verifyEnvelope,
  type Signer,
} from '../../src/signing/index.js'
import {
  generateSigner,
  readKeyFile,
  signerFromSeed,
  writeKeyFile,
} from '../../src/signing/key-file.js'
import { costMin, openKey, sealKey } from '../../src/signing/sealed-key.js'

const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')

function isUsable(signer: Signer, publicOf: Signer): boolean {
  const envelope = signBody(payloadType('ack'), { v: 1 }, signer)
  return verifyEnvelope(envelope, rawPublicKey(publicOf.publicKeySpki) ?? new Uint8Array())
}

await t.test('RFC 8032, 7.1, TEST 1', (t) => {
  const signer = signerFromSeed(seed)
  t.equal(
    toHex(rawPublicKey(signer.publicKeySpki) ?? new Uint8Array()),
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  )
  t.equal(
    toHex(signer.sign(new Uint8Array())),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
      '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  )
  t.throws(() => signerFromSeed(new Uint8Array(31)), RangeError)
  t.end()
})

await t.test('a key comes back from its file, which only its owner can read', async (t) => {
  const path = join(t.testdir({}), 'ana.key.pem')
  const signer = generateSigner()
  await writeKeyFile(path, signer)
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.match(await readFile(path, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/)
  const read = await readKeyFile(path)
  t.equal(read.keyId, signer.keyId)
  t.same(read.publicKeySpki, signer.publicKeySpki)
  t.ok(isUsable(read, signer))
  t.ok(isUsable(await readKeyFile(path, { passphrase: 'not needed' }), signer))
})

await t.test('under a passphrase', async (t) => {
  const path = join(t.testdir({}), 'ana.key.pem')
  const signer = generateSigner()
  await writeKeyFile(path, signer, { passphrase: 'correct horse', cost: costMin })
  const text = await readFile(path, 'utf8')
  t.match(text, /^-----BEGIN COUNTERSIGN SEALED KEY-----\n/)
  t.ok(isUsable(await readKeyFile(path, { passphrase: 'correct horse' }), signer))
  await t.rejects(readKeyFile(path), { code: 'KEY_FILE', message: /needs its passphrase/ })
  for (const passphrase of ['', 'correct horse ']) {
    const reading = readKeyFile(path, { passphrase })
    await t.rejects(reading, { code: 'KEY_FILE', message: /passphrase does not open it/ })
  }
  const empty = writeKeyFile(join(t.testdirName, 'b.pem'), signer, { passphrase: '' })
  await t.rejects(empty, { code: 'KEY_FILE' })
})

/** As builds before the container wrote it. */
const encryptedPkcs8 = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAih8bn2HiYcDAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKP0ZeXBFjDXCvWPepLmJrMEQBYh
DjxB2UrERwdlf4aiVhMqYQmERjJQDqukOBOFWffLOaPBOsQVhRHpHDYVzgWn2zw4
YZENzJzg+w2fFzRd5cs=
-----END ENCRYPTED PRIVATE KEY-----
`

await t.test('encrypted PKCS#8 of earlier builds is still read', async (t) => {
  const path = join(t.testdir({}), 'old.key.pem')
  await writeFile(path, encryptedPkcs8, { mode: 0o600 })
  const read = await readKeyFile(path, { passphrase: 'correct horse' })
  t.equal(read.keyId, signerFromSeed(seed).keyId)
  await t.rejects(readKeyFile(path), { code: 'KEY_FILE', message: /needs its passphrase/ })
  await t.rejects(readKeyFile(path, { passphrase: 'wrong' }), {
    code: 'KEY_FILE',
    message: /passphrase does not open it/,
  })
})

await t.test('a sealed key: every byte counts, and its cost is bounded', async (t) => {
  const key = Buffer.from('key')
  const [, usual = ''] = (await sealKey(key, 'x')).split('\n')
  t.same([...Buffer.from(usual, 'base64').subarray(4, 7)], [17, 8, 1])
  const pem = await sealKey(key, 'x', costMin)
  t.same(await openKey(pem, 'x'), { kind: 'opened', key })
  t.not(pem, await sealKey(key, 'x', costMin), 'another salt and nonce each time')
  const lines = pem.trim().split('\n')
  const [begin = '', end = ''] = [lines[0], lines.at(-1)]
  const container = Buffer.from(lines.slice(1, -1).join(''), 'base64')
  const changed = async (at: number, to?: number): Promise<string> => {
    const other = Buffer.from(container)
    other[at] = to ?? (other[at] ?? 0) ^ 1
    return (await openKey([begin, other.toString('base64'), end].join('\n'), 'x')).kind
  }
  t.equal(await changed(3, 0x32), 'damaged', 'a later version')
  for (const at of [7, 23, container.length - 1]) t.equal(await changed(at), 'passphrase')
  t.equal(await changed(4, 15), 'passphrase', 'another cost gives another key')
  for (const [at, to] of [
    [4, 13],
    [4, 21],
    [4, 255],
    [5, 7],
    [5, 9],
    [6, 0],
    [6, 5],
  ] as const) {
    t.equal(await changed(at, to), 'cost', `byte ${String(at)} is ${String(to)}`)
  }
  const short = [begin, container.subarray(0, 51).toString('base64'), end].join('\n')
  t.match(await openKey(short, 'x'), { kind: 'damaged' })
  const path = join(t.testdir({}), 'short.pem')
  await writeFile(path, short, { mode: 0o600 })
  await t.rejects(readKeyFile(path, { passphrase: 'x' }), { code: 'KEY_FILE', message: /damaged/ })
})

await t.test('a file is never replaced', async (t) => {
  const path = join(t.testdir({ 'ana.key.pem': 'precious' }), 'ana.key.pem')
  const writing = writeKeyFile(path, generateSigner())
  await t.rejects(writing, { code: 'KEY_FILE', message: /exists already/ })
  t.equal(await readFile(path, 'utf8'), 'precious')
})

await t.test('a file that others may use is refused', async (t) => {
  const path = join(t.testdir({}), 'ana.key.pem')
  await writeKeyFile(path, generateSigner())
  for (const mode of [0o640, 0o604, 0o620, 0o601, 0o644, 0o660, 0o777]) {
    await chmod(path, mode)
    const reading = readKeyFile(path)
    await t.rejects(reading, { code: 'KEY_FILE', message: /chmod 600/ }, mode.toString(8))
  }
  for (const mode of [0o600, 0o400]) {
    await chmod(path, mode)
    t.match(await readKeyFile(path), { keyId: String }, mode.toString(8))
  }
})

await t.test('the mode that counts is that of the file behind a link', async (t) => {
  const directory = t.testdir({})
  const [path, link] = [join(directory, 'ana.key.pem'), join(directory, 'link.pem')]
  await writeKeyFile(path, generateSigner())
  await symlink(path, link)
  t.match(await readKeyFile(link), { keyId: String })
  await chmod(path, 0o644)
  await t.rejects(readKeyFile(link), { code: 'KEY_FILE' })
})

await t.test('what is no key file says so', async (t) => {
  const pem = (type: 'ed25519' | 'x25519'): string => {
    const pair = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
    return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  }
  const spki = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
  const files: Record<string, readonly [string, RegExp]> = {
    empty: ['', /not a PKCS#8 private key/],
    text: ['hello', /not a PKCS#8 private key/],
    'a public key': [spki as string, /not a PKCS#8 private key/],
    'another algorithm': [pem('x25519'), /type x25519, not Ed25519/],
    'a damaged key': [pem('ed25519').replace(/\n..../, '\nAAAA'), /damaged/],
    'a large file': ['x'.repeat(20_000), /too large/],
  }
  const directory = t.testdir({})
  for (const [name, [content, message]] of Object.entries(files)) {
    const path = join(directory, `${name}.pem`)
    await writeFile(path, content, { mode: 0o600 })
    await t.rejects(readKeyFile(path), { code: 'KEY_FILE', message, details: { path } }, name)
  }
  const missing = readKeyFile(join(directory, 'missing.pem'))
  await t.rejects(missing, { code: 'KEY_FILE', message: /no such file/ })
  await t.rejects(readKeyFile(directory), { code: 'KEY_FILE', message: /not a regular file/ })
})

await t.test('a signer shows no secret, and one from elsewhere cannot be written', async (t) => {
  const signer = signerFromSeed(seed)
  const shown = inspect(signer, { depth: 10, showHidden: true }) + JSON.stringify(signer)
  t.notMatch(shown, seed.toString('hex'))
  t.notMatch(shown, seed.toString('base64'))
  t.same(Object.keys(signer).sort(), ['keyId', 'publicKeySpki', 'sign'])
  const writing = writeKeyFile(join(t.testdir({}), 'x.pem'), { ...signer })
  await t.rejects(writing, { code: 'KEY_FILE' })
})
