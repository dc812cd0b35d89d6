/** A running hash of everything that happens: two runs of one seed must end at the same value. */
export class EventDigest {
  private a = 0x811c9dc5
  private b = 0x9e3779b9
  count = 0

  add(...values: readonly (number | string)[]): void {
    this.count += 1
    for (const value of values) {
      if (typeof value === 'string') {
        for (let position = 0; position < value.length; position += 1) {
          this.mix(value.charCodeAt(position))
        }
      } else {
        this.mix(Math.floor(value))
        // Virtual times have fractions; they count too.
        this.mix(Math.floor((value % 1) * 4294967296))
      }
    }
  }

  text(): string {
    const hex = (value: number) => (value >>> 0).toString(16).padStart(8, '0')
    return hex(this.a) + hex(this.b)
  }

  private mix(value: number): void {
    this.a = Math.imul(this.a ^ (value & 0xffffffff), 0x01000193)
    this.b = Math.imul(this.b ^ (value >>> 7) ^ (this.a >>> 13), 0x85ebca6b)
  }
}
