/** Handshakes that ended because the node is not one of this cluster, in words for people. */

/** What Node and OpenSSL say, and what is wrong; the first that fits. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/wrong version number/, 'it does not speak TLS'],
  [/altnames|ALTNAME/, 'its certificate does not name this address'],
  [/certificate has expired|CERT_HAS_EXPIRED/, 'its certificate has expired'],
  [/certificate is not yet valid|CERT_NOT_YET_VALID/, 'its certificate is not valid yet'],
  [
    /self[- ]signed|unable to (verify|get)\b.*\b(certificate|issuer)|certificate signature failure/,
    'its certificate is not signed by the given CA',
  ],
]

/** Null when the words tell of something else, which may mend itself. */
export function misfitIn(words: string): string | null {
  return reasons.find(([pattern]) => pattern.test(words))?.[1] ?? null
}
