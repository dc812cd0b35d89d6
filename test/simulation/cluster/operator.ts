/**
 * Changes the nodes of the cluster as an operator would: a governed change of /sys/nodes that two
 * others approve, then the machine of the new node is started. Ids are never used twice.
 */
import type { GenesisNode } from '../../../src/approval/index.js'
import type { PeerMember } from '../../../src/node/ports.js'
import { configurationOf, type Configuration } from '../../../src/raft/index.js'
import type { Json } from '../../../src/signing/index.js'
import type { SeededRandom } from '../random.js'
import { foundingNode } from './people.js'
import type { PersonAtWork } from './people-at-work.js'
import type { Requests } from './requests.js'

const nodesPrefix = '/sys/nodes/'
const votersMax = 7

interface Listed {
  readonly path: string
  readonly modRevision: number
  readonly member: PeerMember
}

export class Operator {
  /** Changes that went live. */
  changes = 0
  private readonly person: PersonAtWork
  private readonly requests: Requests
  private readonly random: SeededRandom
  private readonly everyMs: number
  private readonly admit: (id: string, known: readonly PeerMember[]) => void
  private lastNumber: number
  /** Voters of every change that was asked for since the last one that is known to be live. */
  private asked: readonly Configuration[] = []
  private over = false

  constructor(
    person: PersonAtWork,
    requests: Requests,
    random: SeededRandom,
    plan: {
      readonly everyMs: number
      readonly founders: number
      /** Starts the machine of a new node, which is told of these members. */
      readonly admit: (id: string, known: readonly PeerMember[]) => void
    },
  ) {
    this.person = person
    this.requests = requests
    this.random = random
    this.everyMs = plan.everyMs
    this.admit = plan.admit
    this.lastNumber = plan.founders
  }

  /** What may come to be in force without a hand of the operator any more. */
  get wanted(): readonly Configuration[] {
    return this.asked
  }

  /** Nothing is asked for any more. */
  end(): void {
    this.over = true
  }

  /** A call, since it changes while `work` waits. */
  private isOver(): boolean {
    return this.over
  }

  async work(): Promise<void> {
    while (!this.isOver()) {
      await this.requests.sleep(this.random.between(0.5, 1.5) * this.everyMs)
      const listed = await this.list()
      // What is begun from here on would not be in `wanted` when the faults end.
      if (listed === null || this.isOver()) continue
      const grows = listed.length < votersMax && this.random.chance(listed.length < 3 ? 0.9 : 0.5)
      const shrinks = listed.length > 1 && (!grows || this.random.chance(0.4))
      if (!grows && !shrinks) continue
      await this.change(listed, grows, shrinks)
    }
  }

  private async change(listed: readonly Listed[], grows: boolean, shrinks: boolean): Promise<void> {
    const added = grows ? [this.newNode()] : []
    const removed = shrinks ? [this.random.pick(listed)] : []
    const known = listed.map(({ member }) => member)
    const kept = listed.filter((each) => !removed.includes(each)).map(({ member }) => member)
    const wanted = configurationOf([...kept, ...added].map(({ id }) => id))
    this.asked = [...this.asked, wanted]
    // Some start the machine early: it waits until it is admitted.
    const isEarly = this.random.chance(0.3)
    if (isEarly) for (const { id } of added) this.admit(id, known)
    const isLive = await this.person.agree(
      [
        ...added.map((node) => ({
          action: 'put' as const,
          path: nodesPrefix + node.id,
          value: node as unknown as Json,
        })),
        ...removed.map(({ path }) => ({ action: 'delete' as const, path })),
      ],
      [
        ...added.map(({ id }) => ({ path: nodesPrefix + id, modRevision: 0 })),
        ...removed.map(({ path, modRevision }) => ({ path, modRevision })),
      ],
    )
    if (isLive) {
      this.changes += 1
      this.asked = [wanted]
    }
    // Whoever heard nothing starts it all the same: the change may have gone live.
    if (!isEarly) for (const { id } of added) this.admit(id, known)
  }

  private async list(): Promise<readonly Listed[] | null> {
    const answer = await this.requests.call((node) =>
      node.read('linearizable', (reads) => reads.list(nodesPrefix, { limit: 100 })),
    )
    if (answer === null) return null
    return answer.value.flatMap(({ path, modRevision, content }) => {
      if (content.kind !== 'value') return []
      const { id, address, incarnation } = content.value as unknown as GenesisNode
      return [{ path, modRevision, member: { id, address, incarnation } }]
    })
  }

  private newNode(): GenesisNode {
    this.lastNumber += 1
    return foundingNode(`n${String(this.lastNumber)}`)
  }
}
