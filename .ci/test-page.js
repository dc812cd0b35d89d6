/**
 * `npm run test:page`: the status page in a real browser. It needs Chromium; where there is none
 * it says how to get one, rather than pass without having looked.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function findBrowser() {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const candidates = names.flatMap((name) => folders.map((folder) => path.join(folder, name)))
  return [process.env['CHROMIUM_PATH'], ...candidates].find(
    (file) => file !== undefined && file !== '' && isExecutable(file),
  )
}

const browser = findBrowser()
if (browser === undefined) {
  console.error(
    'The page tests need Chromium. On Debian: apt-get install chromium. Elsewhere: install Chromium ' +
      'or Chrome and name its program in CHROMIUM_PATH.',
  )
  process.exit(1)
}
const tests = readdirSync(path.join(root, 'test/page'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => path.join('test/page', name))
const run = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules/tap/dist/esm/run.mjs'), ...process.argv.slice(2), ...tests],
  { cwd: root, stdio: 'inherit', env: { ...process.env, CHROMIUM_PATH: browser } },
)
process.exitCode = run.status ?? 1
