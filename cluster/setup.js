/**
 * What `npm start`, `npm test` and the other scripts run first: install the packages and build,
 * each only when needed. Plain JavaScript with built-ins only, because in a fresh clone nothing
 * else is there yet.
 *
 * A stamp in node_modules/ and one in dist/ say from what each was made. A stamp is written last,
 * so an interrupted run starts anew and a finished one costs a few milliseconds.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, isBuilt } from './build.js'
import { withLock } from './setup-lock.js'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const installStamp = path.join(root, 'node_modules', '.countersign-setup')

/** What an installation is made from; another platform needs other binaries. */
function installDigest() {
  const hash = createHash('sha256')
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    hash.update(readFileSync(path.join(root, name)))
    hash.update('\0')
  }
  hash.update(`${process.platform} ${process.arch}`)
  return hash.digest('hex')
}

function readOr(file, fallback) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return fallback
  }
}

/**
 * npm notes at the end of an installation what it put there. If that is all that the lock file
 * asks for, somebody ran `npm ci` by hand and it need not run again.
 */
function installedByHand() {
  const noted = readOr(path.join(root, 'node_modules', '.package-lock.json'), '')
  if (noted === '') return false
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(noted).packages
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === '') return true
    const found = present[place]
    if (found === undefined) return entry.optional === true
    return found.version === entry.version && existsSync(path.join(root, place, 'package.json'))
  })
}

function isInstalled() {
  return readOr(installStamp, '') === installDigest()
}

function install() {
  if (installedByHand()) {
    writeFileSync(installStamp, installDigest())
    return
  }
  console.error('Installing packages (npm ci), about half a minute ...')
  // Scripts of packages are not run: nothing here needs one, the binaries come prebuilt.
  const parts = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund']
  const npm = process.env['npm_execpath']
  const result =
    npm?.endsWith('.js') === true
      ? spawnSync(process.execPath, [npm, ...parts], { cwd: root, stdio: ['ignore', 2, 2] })
      : spawnSync('npm', parts, {
          cwd: root,
          stdio: ['ignore', 2, 2],
          shell: process.platform === 'win32',
        })
  if (result.status !== 0) {
    throw new Error(
      '`npm ci` failed (its own message is above). Mend that and run the same command again.',
    )
  }
  writeFileSync(installStamp, installDigest())
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Countersign needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

// `npm run generate` makes a part of the sources, so it must not need a build that passes.
const wantsBuild = !process.argv.includes('--no-build')

try {
  if (!isInstalled() || (wantsBuild && !isBuilt(root))) {
    await withLock(path.join(root, '.setup.lock'), () => {
      if (!isInstalled()) install()
      if (wantsBuild && !isBuilt(root)) build(root)
    })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
