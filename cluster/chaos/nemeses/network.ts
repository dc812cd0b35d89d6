/** Faults of the links between nodes. */
import { electionTimeoutMs } from '../arena.js'
import { minority, pause, type Nemesis, type Strike } from '../nemesis.js'

/** Long enough for an election on the other side, and for its leader to commit. */
const faultMs = ({ random }: Strike) => random.between(1, 4) * electionTimeoutMs
const restMs = ({ random }: Strike) => random.between(500, 2000)

async function whileBroken(
  strike: Strike,
  what: string,
  nodes: readonly string[],
  breakLinks: () => Promise<void>,
): Promise<void> {
  const { arena, signal } = strike
  arena.journal.note('fault', what, nodes)
  await breakLinks()
  await pause(faultMs(strike), signal)
  await arena.links.heal()
  arena.journal.note('heal', 'links healed', nodes)
  await pause(restMs(strike), signal)
}

export const partition: Nemesis = {
  name: 'partition',
  nodesMin: 3,
  what: 'a minority, most often with the leader, is cut off from the rest',
  strike: async (strike) => {
    const { arena, random } = strike
    const leader = random.chance(0.6) ? await arena.cluster.leader() : undefined
    const cut = leader === undefined ? minority(strike) : [leader]
    const rest = arena.ids.filter((id) => !cut.includes(id))
    await whileBroken(strike, `cut off from ${rest.join(', ')}`, cut, () =>
      arena.links.allowOnly([cut, rest]),
    )
  },
}

export const oneWay: Nemesis = {
  name: 'one-way',
  nodesMin: 3,
  what: 'one node hears the others, or is heard by them, but not both',
  strike: async (strike) => {
    const { arena, random } = strike
    const id = random.pick(arena.ids)
    const others = arena.ids.filter((other) => other !== id)
    const isDeaf = random.chance(0.5)
    await whileBroken(strike, isDeaf ? 'deaf: hears nobody' : 'mute: nobody hears it', [id], () =>
      inTurn(others, (other) =>
        isDeaf
          ? arena.links.direct(other, id, { silent: true })
          : arena.links.direct(id, other, { silent: true }),
      ),
    )
  },
}

export const bridge: Nemesis = {
  name: 'bridge',
  nodesMin: 3,
  what: 'two halves that both reach one node in the middle, and not each other',
  strike: async (strike) => {
    const { arena, random } = strike
    const [middle = '', ...others] = random.shuffled(arena.ids)
    const half = Math.ceil(others.length / 2)
    const groups = [others.slice(0, half), others.slice(half)].map((group) => [middle, ...group])
    await whileBroken(strike, 'is the only bridge', [middle], () => arena.links.allowOnly(groups))
  },
}

export const slowLink: Nemesis = {
  name: 'slow-link',
  nodesMin: 3,
  what: 'the links of one node get a delay and little bandwidth, both ways',
  strike: async (strike) => {
    const { arena, random } = strike
    const id = random.pick(arena.ids)
    const delayMs = Math.round(random.between(10, 200))
    const bytesPerSecond = Math.round(random.between(64, 1024)) * 1024
    const what = `${String(delayMs)} ms and ${String(bytesPerSecond / 1024)} KiB/s on its links`
    await whileBroken(strike, what, [id], () =>
      inTurn(
        arena.ids.filter((other) => other !== id),
        async (other) => {
          await arena.links.direct(id, other, { delayMs, bytesPerSecond })
          await arena.links.direct(other, id, { delayMs, bytesPerSecond })
        },
      ),
    )
  },
}

async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await act(item)
}
