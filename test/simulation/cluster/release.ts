/**
 * A release as operators carry it out: programs are replaced one machine after the other, and
 * somebody keeps asking for the feature level that the new ones know. It goes live when every member
 * of the configuration has told the leader that its build knows it, who is down not; whoever comes
 * back with an old one afterwards halts, and is upgraded.
 */
import { featureLevelMax } from '../../../src/approval/index.js'
import type { SeededRandom } from '../random.js'
import type { PersonAtWork } from './people-at-work.js'
import type { Requests } from './requests.js'

const levelPath = '/sys/cluster/featureLevel'

export class Release {
  isOver = false
  isLive = false
  private readonly person: PersonAtWork
  private readonly requests: Requests
  private readonly random: SeededRandom

  constructor(person: PersonAtWork, requests: Requests, random: SeededRandom) {
    this.person = person
    this.requests = requests
    this.random = random
  }

  async work(): Promise<void> {
    while (!this.isOver && !this.isLive) {
      await this.requests.sleep(this.random.between(500, 3_000))
      const answer = await this.requests.call((node) =>
        node.read('linearizable', (reads) => {
          const entry = reads.get(levelPath)
          return { modRevision: entry?.modRevision ?? 0, content: entry?.content }
        }),
      )
      if (answer === null) continue
      const { modRevision, content } = answer.value
      if (content?.kind === 'value' && content.value === featureLevelMax) {
        this.isLive = true
        return
      }
      await this.person.agree(
        [{ action: 'put', path: levelPath, value: featureLevelMax }],
        [{ path: levelPath, modRevision }],
      )
    }
  }
}
