/**
 * Where disks may be lost: never on so many nodes at once that those left are no majority. So every
 * committed entry stays on a sound disk somewhere, and whatever rots can be repaired.
 */
import { isServable } from '../core-of-the-healed.js'
import type { Oracles } from '../oracles.js'
import type { SeededRandom } from '../random.js'
import type { Server } from './server.js'

export class DamageAtlas {
  private readonly servers: readonly Server[]
  private readonly oracles: Oracles
  private readonly random: SeededRandom
  /** Starts a machine with a new disk under the id of this one. */
  private readonly replace: (server: Server) => void

  constructor(
    servers: readonly Server[],
    oracles: Oracles,
    random: SeededRandom,
    replace: (server: Server) => void,
  ) {
    this.servers = servers
    this.oracles = oracles
    this.random = random
    this.replace = replace
  }

  /** Ids whose disk is replaced, or waits for its repair: they count as dead. */
  lost(): ReadonlySet<string> {
    const lost = this.servers.filter(({ damage, isImpostor }) => damage.isThere || isImpostor)
    return new Set(lost.map(({ id }) => id))
  }

  /** One whose disk may be lost now; null when there is none. */
  pick(): Server | null {
    const lost = this.lost()
    const server = this.random.pick(this.servers)
    if (lost.has(server.id)) return null
    const isWell = (id: string): boolean => id !== server.id && !lost.has(id)
    return isServable(this.servers, this.oracles, isWell) ? server : null
  }

  replaceDisk(): void {
    const server = this.pick()
    if (server === null) return
    server.isFrozen = true
    server.crash()
    this.replace(server)
  }
}
