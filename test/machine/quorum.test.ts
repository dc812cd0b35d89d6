/**
 * The claim that everything rests on: no log prefix with fewer distinct eligible humans than the
 * policy asks ever yields ACTIVE. The oracle reads the raw signed messages only, keeps its own
 * notes of who is active and in which group, and knows nothing of seats, states or rules.
 */
import fc from 'fast-check'
import t from 'tap'
import type { Applied, Command } from '../../src/machine/index.js'
import type { Json } from '../../src/signing/index.js'
import { World } from './world.js'
import { people, play, scripts } from './script.js'
import '../property-seed.js'

interface Body {
  readonly person: string
  readonly changeId: string
  readonly contentDigest?: string
  readonly decision?: string
  readonly sponsor?: string
  readonly ops?: readonly { readonly path: string; readonly value?: Json }[]
}

class Oracle {
  private readonly suspended = new Set<string>()
  private members: readonly string[] = people
  private revokedOwners = new Set<string>()
  private prodAsks = 2
  private readonly authors = new Map<string, Set<string>>()
  private readonly ops = new Map<string, NonNullable<Body['ops']>>()
  /** By change: the last word of each person, and about which content. */
  private readonly words = new Map<string, Map<string, { word: string; content: string }>>()
  activations = 0

  /** Throws when something became active that should not have. */
  watch(command: Command, applied: Applied): void {
    if (command.kind === 'submit' && applied.result?.kind === 'accepted') {
      if (!applied.result.repeated) this.note(command)
    }
    for (const event of applied.events) {
      if (event.kind === 'activated') this.judge(event.activation)
    }
  }

  private note({ envelope }: Extract<Command, { kind: 'submit' }>): void {
    const body = JSON.parse(new TextDecoder().decode(envelope.body)) as Body
    if (envelope.type.includes('.propose.')) {
      const authors = this.authors.get(body.changeId) ?? new Set()
      authors.add(body.person)
      if (body.sponsor !== undefined) authors.add(body.sponsor)
      this.authors.set(body.changeId, authors)
      this.ops.set(body.changeId, body.ops ?? [])
    } else if (body.decision !== undefined) {
      const words =
        this.words.get(body.changeId) ?? new Map<string, { word: string; content: string }>()
      words.set(body.person, { word: body.decision, content: body.contentDigest ?? '' })
      this.words.set(body.changeId, words)
    }
  }

  private judge({ changeId, contentDigest }: { changeId: string; contentDigest: string }): void {
    this.activations++
    const yes = people.filter((name) => {
      const last = this.words.get(changeId)?.get(name)
      return (
        last?.word === 'approve' &&
        last.content === contentDigest &&
        !this.authors.get(changeId)?.has(name) &&
        !this.suspended.has(name) &&
        !this.revokedOwners.has(name) &&
        this.members.includes(name)
      )
    })
    const ops = this.ops.get(changeId) ?? []
    const asks = ops.some(({ path }) => path.startsWith('/prod/')) ? this.prodAsks : 2
    if (yes.length < asks) {
      throw new Error(`${changeId} is active by ${yes.join(', ')} alone; ${String(asks)} are asked`)
    }
    for (const { path, value } of ops) this.take(path, value)
  }

  private take(path: string, value: Json | undefined): void {
    const document = value as unknown as {
      id: string
      status: string
      person: string
      members: string[]
      rules: { need: { count: number }[] }[]
    }
    if (path.startsWith('/sys/people/')) {
      if (document.status === 'active') this.suspended.delete(document.id)
      else this.suspended.add(document.id)
    }
    if (path.startsWith('/sys/keys/')) this.revokedOwners.add(document.person)
    if (path === '/sys/groups/operators') this.members = document.members
    if (path === '/sys/policies/prod') this.prodAsks = document.rules[0]?.need[0]?.count ?? 0
  }
}

await t.test('nothing is active by fewer distinct eligible humans than are asked', (t) => {
  let activations = 0
  fc.assert(
    fc.property(scripts, (script) => {
      const world = new World({ humans: people })
      const oracle = new Oracle()
      play(world, script, (command) => (applied) => {
        oracle.watch(command, applied)
      })
      activations += oracle.activations
    }),
    { numRuns: 300 },
  )
  t.ok(activations > 100, 'the stories lead somewhere')
  t.end()
})

await t.test('and it does become active with them', async (t) => {
  const world = new World({ humans: people })
  const oracle = new Oracle()
  const see = (command: Command): void => {
    oracle.watch(command, world.apply(command))
  }
  const command = world.proposeCommand({ by: 'alice', changeId: world.newChangeId() })
  see(command)
  const changeId = '1'.padStart(32, '0')
  see(world.decisionCommand('approve', 'bob', changeId))
  t.equal(oracle.activations, 0)
  see(world.decisionCommand('approve', 'carol', changeId))
  t.equal(oracle.activations, 1)
})
