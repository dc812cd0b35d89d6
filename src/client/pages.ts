/** Lists come in pages; callers get the whole. */
import type { Read } from './types.js'

/** The most that a node hands out in one page. */
const pageMax = 1000

interface Page<T> {
  readonly items: readonly T[]
  readonly revision: number
  /** Where to go on: a number or a path; 0 or empty at the end. */
  readonly next: number | string
}

/** `revision` of the result is that of the first page: what comes after it may show already. */
export async function allPages<T>(
  wanted: number | undefined,
  ask: (limit: number, before: number, after: string) => Promise<Page<T>>,
): Promise<Read<readonly T[]>> {
  const items: T[] = []
  let revision: number | undefined
  let before = 0
  let after = ''
  for (;;) {
    const left = (wanted ?? Number.POSITIVE_INFINITY) - items.length
    const page = await ask(Math.max(1, Math.min(pageMax, left)), before, after)
    revision ??= page.revision
    items.push(...page.items.slice(0, Math.max(0, left)))
    const isEnd = page.items.length === 0 || page.next === 0 || page.next === ''
    if (isEnd || items.length >= (wanted ?? Number.POSITIVE_INFINITY)) {
      return { value: items, revision }
    }
    if (typeof page.next === 'number') before = page.next
    else after = page.next
  }
}
