/** The window of append messages that one peer has not answered, counted in messages and bytes. */
import type { LogIndex } from '../types.js'

interface Inflight {
  readonly lastIndex: LogIndex
  readonly bytes: number
}

export interface Window {
  readonly inflightMessagesMax: number
  readonly inflightBytesMax: number
}

export class Inflights {
  private readonly window: Window
  /** Ascending in lastIndex; answered ones leave at the front. */
  private sent: Inflight[] = []
  bytes = 0

  constructor(window: Window) {
    this.window = window
  }

  get messages(): number {
    return this.sent.length
  }

  /** A message larger than the whole byte window may still travel alone. */
  isFull(): boolean {
    return (
      this.sent.length >= this.window.inflightMessagesMax ||
      this.bytes >= this.window.inflightBytesMax
    )
  }

  add(lastIndex: LogIndex, bytes: number): void {
    this.sent.push({ lastIndex, bytes })
    this.bytes += bytes
  }

  /** Everything up to `index` is answered. */
  freeTo(index: LogIndex): void {
    let freed = 0
    for (const message of this.sent) {
      if (message.lastIndex > index) break
      this.bytes -= message.bytes
      freed += 1
    }
    if (freed > 0) this.sent.splice(0, freed)
  }

  clear(): void {
    this.sent = []
    this.bytes = 0
  }
}
