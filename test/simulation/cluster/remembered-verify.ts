/**
 * Answers of signature checks, kept: thousands of simulated clusters share one process, and each of
 * their nodes asks for the same few signatures. The answer is that of `check`, first or again.
 */
import { sha256, verifyStrict, type Verify } from '../../../src/signing/index.js'

/** 8,192 answers are about a megabyte. */
const usualResultsMax = 8192

export function rememberedVerify(
  options: { readonly resultsMax?: number; readonly check?: Verify } = {},
): Verify {
  const { resultsMax = usualResultsMax, check = verifyStrict } = options
  // A Map keeps the order of insertion, so the first name is the oldest answer.
  const results = new Map<string, boolean>()
  return (publicKey, message, signature) => {
    // Parts of fixed length make the concatenation below unambiguous; nothing else can be valid.
    if (publicKey.length !== 32 || signature.length !== 64) return false
    const name = Buffer.from(sha256(publicKey, signature, message)).toString('latin1')
    const known = results.get(name)
    if (known !== undefined) return known
    const isValid = check(publicKey, message, signature)
    if (results.size >= resultsMax) {
      const oldest = results.keys().next()
      if (oldest.done !== true) results.delete(oldest.value)
    }
    results.set(name, isValid)
    return isValid
  }
}
