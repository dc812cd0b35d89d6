/** sodium-native brings no types; these are the calls of libsodium that signing uses. */
declare module 'sodium-native' {
  interface Sodium {
    /** Never throws for a signature of 64 bytes and a key of 32. */
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      publicKey: Uint8Array,
    ): boolean
    /** Canonical, on the curve, of prime order and not of small order. */
    crypto_core_ed25519_is_valid_point(point: Uint8Array): boolean
  }
  const sodium: Sodium
  export default sodium
}
