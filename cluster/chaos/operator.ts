/** What an operator does with the command line, while clients work. */
import { runProgram } from '../program.js'
import type { Arena } from './arena.js'
import type { Strike } from './nemesis.js'

/** The fields of its result; throws what it said when it fails. */
export async function countersign(
  arena: Arena,
  ...words: readonly string[]
): Promise<Readonly<Record<string, unknown>>> {
  const parameters = [...words, '--dir', arena.directory, '--json', '--yes', '--timeout', '30s']
  const run = await runProgram(parameters)
  if (run.code !== 0) throw new Error(`countersign ${words.join(' ')}: ${run.stdout}${run.stderr}`)
  const line = run.stdout.trim().split('\n').at(-1) ?? ''
  return (JSON.parse(line) as { readonly result: Readonly<Record<string, unknown>> }).result
}

/** Proposed by one person, approved by the others. */
export async function governedChange(
  { arena, random }: Strike,
  ...words: readonly string[]
): Promise<void> {
  const [author = '', ...approvers] = random.shuffled(['alice', 'bob', 'carol'])
  const { changeId } = await countersign(arena, ...words, '--as', author)
  let state: unknown
  for (const person of approvers) {
    const decided = await countersign(arena, 'approve', String(changeId), '--as', person)
    state = decided['state']
  }
  if (state !== 'ACTIVE') throw new Error(`countersign ${words.join(' ')} is ${String(state)}`)
}
