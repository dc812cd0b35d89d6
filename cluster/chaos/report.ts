/** The plain text of a run, and what it leaves for whoever looks into a failure. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { formatHistory, picture, shortestBadPrefix } from '../linearizability/index.js'
import type { Wanted } from './arguments.js'
import type { RunResult, Verdict } from './run.js'

export function textOf(result: RunResult): readonly string[] {
  const { nemesis, verdict, why, phase, seconds } = result
  if (phase === undefined) return [`${nemesis}: ${verdict}: ${why ?? ''}`]
  const { strikes, counts } = phase
  const { ok, fail, info } = counts
  return [
    `${nemesis}: ${verdict} in ${seconds} s: ${strikes} strikes, ${ok} operations ok, ${fail} refused, ${info} unknown${why === undefined ? '' : ` (${why})`}`,
    ...phase.checks.map(
      ({ name, holds, fact }) => `  ${holds ? 'ok  ' : 'FAIL'}  ${name.padEnd(30)} ${fact}`,
    ),
  ]
}

/** For machines: one object a nemesis. */
export function jsonOf(result: RunResult, seed: number): string {
  const { nemesis, verdict, why, phase, seconds } = result
  const { strikes, kills, counts, checks } = phase ?? {}
  return JSON.stringify({ nemesis, seed, verdict, why, seconds, strikes, kills, counts, checks })
}

/** The last line. */
export function summaryOf(results: readonly RunResult[], seed: number): string {
  const namesOf = (verdict: Verdict) =>
    results.filter((result) => result.verdict === verdict).map(({ nemesis }) => nemesis)
  const operations = results.reduce((sum, { phase }) => sum + (phase?.history.length ?? 0), 0)
  const strikes = results.reduce((sum, { phase }) => sum + (phase?.strikes ?? 0), 0)
  const failed = namesOf('failed')
  const missed = namesOf('not exercised')
  return [
    `chaos: ${namesOf('passed').length} of ${results.length} nemeses passed`,
    `${strikes} strikes, ${operations} operations, seed ${seed}`,
    failed.length === 0 ? 'none failed' : `FAILED: ${failed.join(', ')}`,
    ...(missed.length === 0 ? [] : [`not exercised: ${missed.join(', ')}`]),
  ].join('; ')
}

/** 0: all passed. 1: one failed. 2: none failed, and not all were exercised. */
export function exitCodeOf(results: readonly RunResult[]): number {
  if (results.some(({ verdict }) => verdict === 'failed')) return 1
  return results.some(({ verdict }) => verdict === 'not exercised') ? 2 : 0
}

/** Beside each other when there are several: each had a cluster and a clock of its own. */
export async function writeHistory(
  { phase, nemesis }: RunResult,
  { history, nemeses }: Wanted,
): Promise<string | undefined> {
  if (history === undefined || phase === undefined) return undefined
  const { dir, name, ext } = path.parse(history)
  const file = nemeses.length === 1 ? history : path.join(dir, `${name}-${nemesis}${ext}`)
  await writeFile(file, formatHistory(phase.history))
  return file
}

/**
 * Writes the history of a failed run, and a picture of each bad key, beside the timeline. Returns
 * the files.
 */
export async function leaveEvidence(
  { phase, nemesis, verdict }: RunResult,
  htmlFile: string,
): Promise<readonly string[]> {
  if (phase === undefined || verdict !== 'failed') return []
  const stem = path.join(path.dirname(htmlFile), path.basename(htmlFile, '.html'))
  const historyFile = `${stem}-${nemesis}.ndjson`
  await writeFile(historyFile, formatHistory(phase.history))
  const files = [historyFile]
  for (const { key, verdict: keyVerdict } of phase.verdict.keys) {
    if (keyVerdict !== 'not linearizable') continue
    const prefix = shortestBadPrefix(
      key,
      phase.history.filter((operation) => operation.key === key),
    )
    if (prefix === undefined) continue
    const file = `${stem}-${nemesis}-${key.replace(/[^\w.-]+/g, '_')}.html`
    await writeFile(file, picture(key, prefix))
    files.push(file)
  }
  return files
}
