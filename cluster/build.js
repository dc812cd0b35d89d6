/**
 * Makes dist/: compiled TypeScript, and whatever else lies in src/ (generated code, the page).
 * Built-ins only until the compiler itself is called. `npm run build` runs this file.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const stampName = '.countersign-build'

/** All files below a folder, relative to the root, sorted. */
function filesBelow(root, folder) {
  if (!existsSync(path.join(root, folder))) return []
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

function sourceDigest(root) {
  const hash = createHash('sha256')
  const single = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'cluster/build.js']
  const sources = ['src', 'cluster', 'test']
    .flatMap((folder) => filesBelow(root, folder))
    .filter((file) => !file.startsWith('test/fixtures/'))
  for (const file of [...single, ...sources]) {
    hash.update(`${file}\0`)
    hash.update(readFileSync(path.join(root, file)))
    hash.update('\0')
  }
  return hash.digest('hex')
}

export function isBuilt(root) {
  const stamp = path.join(root, 'dist', stampName)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceDigest(root)
}

/**
 * Builds beside dist/ and swaps at the end: a program that is starting from the old dist/ meets
 * either all of the old files or all of the new ones.
 */
export function build(root) {
  console.error('Building ...')
  const digest = sourceDigest(root)
  const next = path.join(root, 'dist.next')
  rmSync(next, { recursive: true, force: true })
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  // Types are the business of `npm run check`: they would more than double the time of a build.
  const parts = [compiler, '-p', 'tsconfig.build.json', '--outDir', next, '--noCheck']
  const result = spawnSync(process.execPath, parts, { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.status !== 0) throw new Error('The build failed; the compiler says above where.')

  for (const file of filesBelow(root, 'src')) {
    if (file.endsWith('.ts')) continue
    mkdirSync(path.dirname(path.join(next, file)), { recursive: true })
    copyFileSync(path.join(root, file), path.join(next, file))
  }
  // tsc does not make it executable, and `npx countersign` needs that.
  chmodSync(path.join(next, 'src', 'cli', 'main.js'), 0o755)
  writeFileSync(path.join(next, stampName), digest)

  const dist = path.join(root, 'dist')
  const old = path.join(root, 'dist.old')
  rmSync(old, { recursive: true, force: true })
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(next, dist)
  rmSync(old, { recursive: true, force: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
