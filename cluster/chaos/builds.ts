/** Builds beside this one: one that syncs nothing, and one of an older commit. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { programPath } from '../program.js'
import type { Plan } from './arena.js'

const root = path.resolve(path.dirname(programPath), '..', '..', '..')

/** What keeps acknowledged entries through a power cut, and how it is taken out. */
const syncs = [
  { file: 'storage/level-log-store.js', find: '{ sync: true }', replace: '{ sync: false }' },
  { file: 'storage/guard-file.js', find: 'await this.#file.sync();', replace: '' },
] as const

/** A copy of this build whose log and guard are written without a sync; returns its program. */
export async function unsyncedBuild({ directory }: Plan): Promise<string> {
  const folder = path.join(path.dirname(directory), 'without-sync')
  await mkdir(folder)
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  await cp(path.join(root, 'package.json'), path.join(folder, 'package.json'))
  const source = path.resolve(path.dirname(programPath), '..')
  const copy = path.join(folder, 'dist', 'src')
  await cp(source, copy, { recursive: true })
  for (const { file, find, replace } of syncs) {
    const before = await readFile(path.join(copy, file), 'utf8')
    if (!before.includes(find)) throw new Error(`${file} has no "${find}" to take out`)
    await writeFile(path.join(copy, file), before.replaceAll(find, replace))
  }
  return path.join(copy, 'cli', 'main.js')
}

const levelFile = 'src/approval/bodies/features.ts'

/**
 * `dist/` of the last commit with a lower feature level, built when it is asked for first; undefined
 * when there is none, as outside of a checkout, or in one without its history.
 */
export async function olderBuild(): Promise<string | undefined> {
  const commit = lastOfLowerLevel()
  if (commit === undefined) return undefined
  const folder = path.join(root, '.countersign', 'builds', commit)
  const dist = path.join(folder, 'dist')
  if (existsSync(dist)) return dist
  const making = `${folder}.${String(process.pid)}`
  await mkdir(making, { recursive: true })
  try {
    const archive = git('archive', '--format=tar', commit, '--', 'src', 'cluster', 'test', '*.json')
    execFileSync('tar', ['-x', '-C', making], { input: archive })
    await symlink(path.join(root, 'node_modules'), path.join(making, 'node_modules'))
    execFileSync(process.execPath, ['cluster/build.js'], { cwd: making, stdio: 'pipe' })
    await rename(making, folder)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
  return dist
}

/** Of those that lead to this one. */
function lastOfLowerLevel(): string | undefined {
  try {
    const own = levelAt('HEAD')
    const commits = git('log', '--format=%H', '--', levelFile).toString().trim().split('\n')
    const raised = commits.find((commit) => levelAt(`${commit}^`) < own)
    return raised && git('rev-parse', `${raised}^`).toString().trim()
  } catch {
    // No checkout, or the first commit has no parent.
    return undefined
  }
}

function levelAt(commit: string): number {
  const text = git('show', `${commit}:${levelFile}`).toString()
  return Number(/featureLevelMax = (\d+)/.exec(text)?.[1] ?? 0)
}

function git(...words: readonly string[]): Buffer {
  return execFileSync('git', words, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  })
}
