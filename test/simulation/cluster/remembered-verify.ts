/**
 * Verification ahead of apply. A node meets each signature several times: in the leader's pre-check,
 * when an entry arrives and goes to disk, and at apply. The check costs about 52 us, a look-up here
 * 4 us, so the answer is kept; and the best moment to ask first is while the disk syncs and the
 * event loop would wait anyway. Hand the batch to the disk, then prime.
 *
 * It runs on the event loop on purpose. Measured with Node 20 on 2 cores, for one check each:
 *
 *   inline                      52 us of the loop,                       52 us of CPU
 *   worker thread, one at once  50-70 us of the loop, 180 us until done, 92 us of CPU
 *   worker thread, 16 at once   5-12 us of the loop,                     60 us of CPU
 *   node:crypto, thread pool    107 us of CPU, and another library's idea of a valid signature
 *
 * A worker frees the loop only in batches and only where a core is idle. Three nodes share the two
 * cores here, so none is, and the extra copies make everything slower. A node that owns several
 * cores would gain; the interface allows for it (`prime` may return a promise, and nobody waits).
 *
 * The answer is that of {@link verifyStrict}, primed or not: results depend on the input alone, and
 * forgetting one only costs its time again.
 */
import { pae } from './pae.js'
import { sha256 } from './hash.js'
import type { Envelope, Verify } from './types.js'
import { publicKeyBytes, signatureBytes, verifyStrict } from './verify.js'

export interface VerifyAhead {
  /** Finds the answer before it is needed. Never throws; callers need not wait for a promise. */
  prime(envelope: Envelope, publicKey: Uint8Array): void | Promise<void>
  readonly verify: Verify
}

export interface VerifyAheadOptions {
  /** Answers kept. Default 8,192: two full replication windows, about 1 MiB. */
  readonly resultsMax?: number
  /** The check itself; tests count its calls. */
  readonly check?: Verify
}

export function createVerifyAhead(options: VerifyAheadOptions = {}): VerifyAhead {
  const { resultsMax = 8192, check = verifyStrict } = options
  // A Map keeps the order of insertion, so the first name is the oldest answer.
  const results = new Map<string, boolean>()

  const verify: Verify = (publicKey, message, signature) => {
    // Parts of fixed length make the concatenation below unambiguous; nothing else can be valid.
    if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
    const name = nameOf(publicKey, message, signature)
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

  return {
    prime: (envelope, publicKey) => {
      verify(publicKey, pae(envelope.type, envelope.body), envelope.signature)
    },
    verify,
  }
}

/** A digest, because an attacker who found a shorter name twice could swap the answers. */
function nameOf(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): string {
  return Buffer.from(sha256(publicKey, signature, message)).toString('latin1')
}
