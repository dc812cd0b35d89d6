/** Any JSON value, as decoded from canonical bytes. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

/**
 * A DSSE envelope with exactly one signature (dsse v1.0.2). `body` are the exact signed bytes:
 * stored and hashed as they came, never encoded again.
 */
export interface Envelope {
  /** Full payload type, e.g. `application/vnd.countersign.propose.v1+json`. */
  readonly type: string
  readonly body: Uint8Array
  /** 64 bytes, Ed25519. */
  readonly signature: Uint8Array
  /** Lower-case hex SHA-256 of the SPKI DER. A hint until the body's own `keyId` agrees. */
  readonly keyId: string
}

/** Strict Ed25519 over `message` with a raw 32-byte public key. Deterministic; never throws. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
