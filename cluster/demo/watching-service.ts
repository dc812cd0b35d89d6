/** A service that lives on verified configuration: it watches a prefix and keeps what it was told. */
import type { CountersignClient } from '../../src/client/index.js'

export class WatchingService {
  readonly #values = new Map<string, unknown>()
  readonly #controller = new AbortController()
  readonly #waiting = new Set<() => void>()
  readonly #ended: Promise<void>
  #started = false
  #failure: unknown

  constructor(client: CountersignClient, prefix: string) {
    this.#ended = this.#follow(client, prefix)
  }

  /** Resolves once nothing that happens from now on can be missed. */
  started(): Promise<void> {
    return this.#until(() => this.#started)
  }

  /** Resolves when the service has been told that `path` is `value`; false after ten seconds. */
  async sees(path: string, value: unknown): Promise<boolean> {
    const tooLate = new Promise<false>((resolve) => {
      setTimeout(() => {
        resolve(false)
      }, 10_000).unref()
    })
    const told = this.#until(() => this.#values.get(path) === value).then(() => true as const)
    return Promise.race([told, tooLate])
  }

  async stop(): Promise<void> {
    this.#controller.abort()
    await this.#ended
  }

  async #follow(client: CountersignClient, prefix: string): Promise<void> {
    try {
      for await (const event of client.watch({ prefix, signal: this.#controller.signal })) {
        if (event.kind === 'started') this.#started = true
        if (event.kind === 'batch') {
          for (const { path, content } of event.written) {
            this.#values.set(path, content.kind === 'value' ? content.value : undefined)
          }
        }
        for (const look of this.#waiting) look()
      }
    } catch (error) {
      // Stopping the watch ends it with CANCELLED; anything else the story should hear of.
      if (!this.#controller.signal.aborted) this.#failure = error
      for (const look of this.#waiting) look()
    }
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const failed = this.#failure !== undefined
        if (!failed && !condition()) return
        this.#waiting.delete(look)
        if (failed) reject(new Error('The watch failed.', { cause: this.#failure }))
        else resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}
