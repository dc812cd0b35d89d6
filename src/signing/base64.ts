/** Hex and base64 with exactly one spelling for each byte string; anything else is null. */

export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex')
}

/** Lower case only, an even number of digits. */
export function fromHex(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'hex')
  return bytes.toString('hex') === text ? new Uint8Array(bytes) : null
}

/** RFC 4648 section 4, with padding. */
export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64')
}

/** Refuses what decoders forgive: the URL alphabet, missing padding, spaces, loose last bits. */
export function fromBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : null
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
