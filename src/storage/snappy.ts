/** Decoder of Snappy's raw format (google/snappy, format_description.txt); bounded by its input. */

const bytesMax = 64 * 1024 * 1024

/** Null for anything that is not a whole, valid stream. */
export function snappyDecode(input: Buffer): Buffer | null {
  let position = 0
  let length = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = input[position]
    if (byte === undefined || scale > 2 ** 28) return null
    position += 1
    length += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  if (length > bytesMax) return null
  const output = Buffer.alloc(length)
  let written = 0
  while (position < input.length) {
    const tag = input[position] ?? 0
    position += 1
    const kind = tag & 3
    if (kind === 0) {
      const inTag = tag >>> 2
      const extra = Math.max(0, inTag - 59)
      if (position + extra > input.length) return null
      const count = (extra === 0 ? inTag : input.readUIntLE(position, extra)) + 1
      position += extra
      if (position + count > input.length || written + count > length) return null
      input.copy(output, written, position, position + count)
      position += count
      written += count
      continue
    }
    const extra = kind === 3 ? 4 : kind
    if (position + extra > input.length) return null
    const read = input.readUIntLE(position, extra)
    position += extra
    const offset = kind === 1 ? ((tag >>> 5) << 8) | read : read
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    if (offset === 0 || offset > written || written + count > length) return null
    // Byte by byte: the source may overlap what is being written.
    for (let at = 0; at < count; at += 1) output[written + at] = output[written + at - offset] ?? 0
    written += count
  }
  return written === length ? output : null
}
