/** Reads LevelDB's numbers: seven bits a byte, the lowest first. */
export class VarintReader {
  position = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Beyond the end it reads zeros: the caller checks where it came out. */
  next(): number {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = this.#bytes[this.position] ?? 0
      this.position += 1
      value += (byte & 0x7f) * shift
      if (byte < 0x80 || shift > 2 ** 35) return value
    }
  }

  handle(): { readonly offset: number; readonly size: number } {
    return { offset: this.next(), size: this.next() }
  }
}
