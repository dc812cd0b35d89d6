/**
 * Sixteen characters that two people can compare by voice: the first 80 bits of a digest in
 * Crockford's base32 (no I, L, O, U). Shorter codes can be forged by search.
 */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const characters = 16
const groupLength = 4

/** `digestHex` is at least 20 hex digits; throws RangeError on anything else. */
export function shortCode(digestHex: string): string {
  const hexDigits = (characters * 5) / 4
  let code = ''
  // Five hex digits are 20 bits, four characters: one group.
  for (let at = 0; at < hexDigits; at += 5) {
    const bits = Number(`0x${digestHex.slice(at, at + 5)}`)
    if (digestHex.length < hexDigits || Number.isNaN(bits)) throw new RangeError('not a hex digest')
    if (at > 0) code += '-'
    for (let i = groupLength - 1; i >= 0; i--) code += alphabet.charAt((bits >> (5 * i)) & 31)
  }
  return code
}
