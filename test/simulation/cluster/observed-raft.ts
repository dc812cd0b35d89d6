/**
 * The real core with an observer at its mouth: the oracles see every output before the node's loop
 * does. Nothing of what the core does is changed.
 */
import { Raft, type Output, type RaftFacts, type RaftOptions } from '../../../src/raft/index.js'
import type { LogView } from '../log-view.js'
import type { Oracles } from '../oracles.js'

export class ObservedRaft extends Raft {
  private readonly oracles: Oracles
  private readonly nodeId: string
  private readonly view: LogView
  private seen: RaftFacts

  /** `name`: who this is to observers. */
  constructor(options: RaftOptions, name: string, oracles: Oracles, view: LogView) {
    super(options)
    this.nodeId = name
    this.oracles = oracles
    this.view = view
    this.seen = this.facts()
  }

  override takeOutput(): Output | null {
    const output = super.takeOutput()
    const before = this.seen
    this.seen = this.facts()
    if (output === null) return null
    const { nodeId, oracles } = this
    if (output.persist !== null) {
      this.view.follow(output.persist, (entry, termBefore) => {
        oracles.appended(nodeId, entry, termBefore)
      })
    }
    oracles.observe(nodeId, before, this.seen, this.view)
    for (const entry of output.apply) oracles.applied(nodeId, entry)
    return output
  }
}
