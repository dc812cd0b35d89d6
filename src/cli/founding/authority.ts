/**
 * The cluster's own certificate authority and the certificates of its nodes, made without openssl.
 * P-256, because TLS stacks agree on it. Leaves carry the DNS name `<nodeId>.node`, by which peers
 * know each other, and the names and addresses that clients dial.
 */
// Must come first: the certificate library reads metadata of its own classes when it is loaded.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509Certificate,
} from '@peculiar/x509'

export interface Authority {
  readonly certificate: X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
  readonly validity: Validity
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

export interface PemPair {
  readonly certificate: string
  /** PKCS#8. */
  readonly privateKey: string
}

export async function makeAuthority(
  clusterName: string,
  now: { readonly wallMs: number },
): Promise<Authority> {
  const keys = await makeKeys()
  const validity = {
    // Clocks of a new cluster's machines may be apart.
    notBefore: new Date(now.wallMs - hourMs),
    notAfter: new Date(now.wallMs + 10 * yearMs),
  }
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`Countersign ${clusterName}`] }],
    serialNumber: serialNumber(),
    ...validity,
    signingAlgorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, keys, validity }
}

/** `names`: DNS names and IP addresses beside `<nodeId>.node`. */
export async function issueNodeCertificate(
  authority: Authority,
  node: { readonly id: string; readonly names: readonly string[] },
): Promise<PemPair> {
  const keys = await makeKeys()
  const names = [...new Set([`${node.id}.node`, ...node.names])]
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [node.id] }],
    issuer: authority.certificate.subjectName,
    serialNumber: serialNumber(),
    ...authority.validity,
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  })
  return { certificate: pemOf(certificate), privateKey: await privateKeyPem(keys) }
}

export async function authorityPem(authority: Authority): Promise<PemPair> {
  return {
    certificate: pemOf(authority.certificate),
    privateKey: await privateKeyPem(authority.keys),
  }
}

/** The authority that `init` made. `validity` is that of its certificate. */
export async function readAuthority(pem: PemPair): Promise<Authority> {
  const certificate = new X509Certificate(pem.certificate)
  const der = PemConverter.decodeFirst(pem.privateKey)
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, curve, true, ['sign'])
  const spki = certificate.publicKey.rawData
  const publicKey = await webcrypto.subtle.importKey('spki', spki, curve, true, ['verify'])
  const { notBefore, notAfter } = certificate
  return { certificate, keys: { privateKey, publicKey }, validity: { notBefore, notAfter } }
}

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const
const hourMs = 3_600_000
const yearMs = 365 * 24 * hourMs
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(curve, true, ['sign', 'verify'])
}

/** 16 random bytes; a set top bit would make the number negative (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return `${PemConverter.encode(der, PemConverter.PrivateKeyTag)}\n`
}
