/** How the nodes see themselves, and whether they have come together. */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Arena } from './arena.js'

export interface NodeView {
  readonly id: string
  readonly appliedIndex: number
  readonly lastIndex: number
  /** First entry that the log still holds; absent from nodes that do not tell. */
  readonly firstIndex?: number
  readonly stateDigest: string
}

const pollMs = 100

/** Undefined for a node that does not answer. */
export async function viewOf(id: string, status: string): Promise<NodeView | undefined> {
  try {
    const signal = AbortSignal.timeout(1000)
    const answer = await fetch(`http://${status}/status`, { signal })
    const { indexes, stateDigest } = (await answer.json()) as {
      readonly indexes: Readonly<Record<string, number>>
      readonly stateDigest: string
    }
    const { applied = 0, last = 0, first } = indexes
    const facts = { id, appliedIndex: applied, lastIndex: last, stateDigest }
    return first === undefined ? facts : { ...facts, firstIndex: first }
  } catch {
    return undefined
  }
}

/** Undefined for a node that does not answer. */
export async function termOf(status: string): Promise<number | undefined> {
  try {
    const answer = await fetch(`http://${status}/status`, { signal: AbortSignal.timeout(5000) })
    return ((await answer.json()) as { readonly term?: number }).term
  } catch {
    return undefined
  }
}

export interface Convergence {
  /** All nodes at the end of one log, at one moment; undefined when that did not come about. */
  readonly views: readonly NodeView[] | undefined
  /** Two nodes had different states at the same index. */
  readonly split: string | undefined
  readonly tookMs: number
}

/** Polls until all nodes have applied the same last index. Equal indexes must mean equal digests. */
export async function converge(arena: Arena, withinMs: number): Promise<Convergence> {
  const startedMs = performance.now()
  const digests = new Map<number, string>()
  for (;;) {
    const { nodes } = arena.cluster.file
    const views = await Promise.all(nodes.map(({ id, status }) => viewOf(id, status)))
    const tookMs = Math.round(performance.now() - startedMs)
    for (const view of views) {
      if (view === undefined) continue
      const known = digests.get(view.appliedIndex)
      if (known !== undefined && known !== view.stateDigest) {
        return { views: undefined, split: `${view.id} at index ${view.appliedIndex}`, tookMs }
      }
      digests.set(view.appliedIndex, view.stateDigest)
    }
    const heard = views.filter((view) => view !== undefined)
    const [first] = heard
    const isOne = heard.every(
      ({ appliedIndex, lastIndex }) =>
        appliedIndex === lastIndex && appliedIndex === first?.appliedIndex,
    )
    if (isOne && heard.length === nodes.length) return { views: heard, split: undefined, tookMs }
    if (tookMs > withinMs) return { views: undefined, split: undefined, tookMs }
    await delay(pollMs)
  }
}

/** Resident memory of a process in MiB (proc(5): VmRSS); undefined where there is no /proc. */
export async function residentMiB(pid: number | undefined): Promise<number | undefined> {
  const text = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]
  return kibibytes === undefined ? undefined : Math.round(Number(kibibytes) / 1024)
}
