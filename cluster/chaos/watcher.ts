/** A service that follows a prefix through all faults, and remembers what it was told. */
import { connect } from '../../src/client/index.js'
import type { Arena } from './arena.js'

/** One activation, as it was told. */
export interface Told {
  readonly revision: number
  readonly changeId: string
  readonly paths: readonly string[]
}

export class Watcher {
  readonly told: Told[] = []
  /** Revisions up to which a snapshot stood for what was compacted. */
  readonly jumps: number[] = []
  resumed = 0
  /** First sentence of what is wrong with the order; undefined while all is well. */
  disorder: string | undefined
  readonly #stop = new AbortController()
  readonly #following: Promise<void>
  #revision = 0
  #failure: unknown
  #isStanding = false
  readonly #waiting = new Set<() => void>()

  constructor(arena: Arena, prefix: string) {
    this.#following = this.#follow(arena, prefix)
  }

  /** Resolves once nothing that happens from now on can be missed. */
  async standing(): Promise<void> {
    await this.#until(() => this.#isStanding)
  }

  /** Resolves when everything up to this revision was told; false when it takes longer. */
  async reaches(revision: number, withinMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        resolve(false)
      }, withinMs)
    })
    const done = this.#until(() => this.#revision >= revision).then(() => true)
    const reached = await Promise.race([done, late])
    clearTimeout(timer)
    return reached
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#following
  }

  async #follow(arena: Arena, prefix: string): Promise<void> {
    const { nodes, ca } = arena.cluster.file
    const client = connect({ addresses: nodes.map((node) => node.client), ca })
    try {
      for await (const event of client.watch({ prefix, signal: this.#stop.signal })) {
        switch (event.kind) {
          case 'started':
            this.#isStanding = true
            break
          case 'batch':
            this.#take({
              revision: event.revision,
              changeId: event.changeId,
              paths: event.written.map((written) => written.path),
            })
            if (!event.more) this.#revision = Math.max(this.#revision, event.revision)
            break
          case 'progress':
            this.#revision = Math.max(this.#revision, event.revision)
            break
          case 'resuming':
            this.resumed += 1
            break
          case 'snapshot':
            this.jumps.push(event.revision)
            this.#revision = Math.max(this.#revision, event.revision)
            break
        }
        for (const look of [...this.#waiting]) look()
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#failure = error
      for (const look of [...this.#waiting]) look()
    } finally {
      client.close()
    }
  }

  #take(told: Told): void {
    const last = this.told.at(-1)
    if (last !== undefined && told.revision < last.revision) {
      this.disorder ??= `revision ${told.revision} came after ${last.revision}`
    }
    if (told.revision <= this.#revision) {
      this.disorder ??= `revision ${told.revision} came after ${this.#revision} was complete`
    }
    this.told.push(told)
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const hasFailed = this.#failure !== undefined
        if (!hasFailed && !condition()) return
        this.#waiting.delete(look)
        if (hasFailed) reject(new Error('The watch failed.', { cause: this.#failure }))
        else resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}
