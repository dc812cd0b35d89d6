/**
 * The links between the nodes, each directed one through a proxy of its own. Node i dials node j
 * through link i>j; what i says to j travels there, and what j answers on the same connection comes
 * back through it.
 */
import { FaultProxy, type DirectionFault, type LinkFault } from '../fault-proxy.js'
import { loopbackHosts } from '../loopback.js'

export interface Place {
  readonly id: string
  readonly host: string
  readonly port: number
}

const linkOf = (from: string, to: string) => `${from}>${to}`

export class Links {
  readonly #proxies = new Map<string, FaultProxy>()
  readonly #ids: string[] = []
  readonly #dead = new Set<string>()
  /** By `from>to`: what happens to packets of that direction, on whichever connection. */
  readonly #faults = new Map<string, DirectionFault>()

  static async open(places: readonly Place[]): Promise<Links> {
    const links = new Links()
    for (const place of places) await links.add(place, places)
    return links
  }

  /** Links from this node to all others. Those of the others to it come with their own places. */
  async add(place: Place, places: readonly Place[]): Promise<void> {
    this.#ids.push(place.id)
    for (const { id, host, port } of places) {
      if (id === place.id) continue
      const [own = ''] = loopbackHosts(1)
      const proxy = await FaultProxy.open({ host: own, target: { host, port } })
      this.#proxies.set(linkOf(place.id, id), proxy)
    }
  }

  /** What this node dials instead of the others: `peers` of its configuration. */
  peersOf(from: string): Record<string, string> {
    return Object.fromEntries(
      this.#ids.flatMap((id) => {
        const proxy = this.#proxies.get(linkOf(from, id))
        return proxy === undefined ? [] : [[id, proxy.address]]
      }),
    )
  }

  /** Packets of one direction only. */
  async direct(from: string, to: string, fault: DirectionFault): Promise<void> {
    this.#faults.set(linkOf(from, to), fault)
    await this.#settle()
  }

  /** Nothing passes between nodes that share no group, either way. */
  async allowOnly(groups: readonly (readonly string[])[]): Promise<void> {
    for (const from of this.#ids) {
      for (const to of this.#ids) {
        const together = groups.some((group) => group.includes(from) && group.includes(to))
        if (from !== to && !together) this.#faults.set(linkOf(from, to), { silent: true })
      }
    }
    await this.#settle()
  }

  async heal(): Promise<void> {
    this.#faults.clear()
    await this.#settle()
  }

  /**
   * A dead process refuses connections; its proxy would still take them. With this the others learn
   * of the death as they do without a proxy.
   */
  async setDead(id: string, isDead: boolean): Promise<void> {
    if (isDead) this.#dead.add(id)
    else this.#dead.delete(id)
    await this.#settle()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()))
  }

  async #settle(): Promise<void> {
    const settling = this.#ids.flatMap((from) =>
      this.#ids.map(async (to) => {
        const forward = this.#faults.get(linkOf(from, to))
        const backward = this.#faults.get(linkOf(to, from))
        const fault: LinkFault = {
          ...(forward && { forward }),
          ...(backward && { backward }),
          // A refusal is an answer as well: it does not come out of a silence.
          ...(this.#dead.has(to) && !forward?.silent && !backward?.silent && { refuse: true }),
        }
        await this.#proxies.get(linkOf(from, to))?.set(fault)
      }),
    )
    await Promise.all(settling)
  }
}
