/** Keys, DSSE envelopes, canonical JSON. Pure and synchronous; files and workers have side doors. */
export type { Envelope, Json, JsonObject, Verify } from './types.js'
export {
  signBody,
  verifyEnvelope,
  envelopeToJson,
  envelopeFromJson,
  type DecodedEnvelope,
  type Signer,
} from './envelope.js'
export { payloadType, payloadWord, pae, messageDigest, type PayloadWord } from './pae.js'
export { verifyStrict } from './verify.js'
export { decodePublicKey, keyIdOf, spkiOf, type DecodedPublicKey } from './public-key.js'
export {
  canonicalText,
  encodeCanonical,
  decodeCanonical,
  type CanonicalOptions,
  type Decoded,
} from './canonical-json.js'
export {
  encodeDetached,
  decodeDetached,
  detachedDigest,
  type Detached,
  type DecodedDetached,
} from './detached.js'
export { shortCode } from './short-code.js'
export { sha256, sha256Hex } from './hash.js'
export { toHex, fromHex, toBase64, fromBase64 } from './base64.js'

// For rooms that check documents themselves.
export { compareCodeUnits } from './code-units.js'
export { depthOf, isWellFormed, valueDepthMax, documentDepthMax } from './canonical-json.js'
export { payloadWords } from './pae.js'
export { rawPublicKey } from './public-key.js'
