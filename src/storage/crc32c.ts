/**
 * CRC-32C (Castagnoli), eight bytes a step ("slicing by 8", Kounavis and Berry 2005): a start runs it
 * over all tables of both stores, and node:zlib only has the other polynomial.
 */
const polynomial = 0x82f63b78
const slices = 8

/** `tables[256 * k + byte]`: what the byte comes to when k more bytes follow it. */
const tables = new Int32Array(slices * 256)
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
  tables[byte] = crc
}
for (let at = 256; at < tables.length; at += 1) {
  const before = tables[at - 256] as number
  tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number)
}

export function crc32c(bytes: Uint8Array): number {
  const after = (k: number, byte: number): number => tables[256 * k + byte] as number
  const byteAt = (at: number): number => bytes[at] as number
  let crc = -1
  let at = 0
  for (; at + slices <= bytes.length; at += slices) {
    crc ^= byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24)
    crc =
      after(7, crc & 0xff) ^
      after(6, (crc >>> 8) & 0xff) ^
      after(5, (crc >>> 16) & 0xff) ^
      after(4, crc >>> 24) ^
      after(3, byteAt(at + 4)) ^
      after(2, byteAt(at + 5)) ^
      after(1, byteAt(at + 6)) ^
      after(0, byteAt(at + 7))
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ after(0, (crc ^ byteAt(at)) & 0xff)
  return ~crc >>> 0
}

/** LevelDB stores it turned and shifted, as the CRC of data with a CRC in it is a weak one. */
export function maskedCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
