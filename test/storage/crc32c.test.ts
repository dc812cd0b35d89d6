import t from 'tap'
import { crc32c } from '../../src/storage/crc32c.js'

/** Bit by bit, as the polynomial says. */
function plainCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

await t.test('RFC 3720, appendix B.4', (t) => {
  t.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  t.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e)
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  t.end()
})

await t.test('every length and every beginning give what the polynomial says', (t) => {
  const all = Uint8Array.from({ length: 64 }, (_, at) => (at * 151 + 7) & 0xff)
  const wrong = []
  for (let from = 0; from < 16; from += 1) {
    for (let to = from; to <= all.length; to += 1) {
      const bytes = all.subarray(from, to)
      if (crc32c(bytes) !== plainCrc32c(bytes)) wrong.push([from, to])
    }
  }
  t.same(wrong, [])
  t.end()
})
