/** `npm run check`: every check, also after one has failed, and a list of those that did. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const bin = (name) => path.join(root, 'node_modules', name)

const checks = [
  ['types', bin('typescript/bin/tsc'), '-p', 'tsconfig.json'],
  ['lint', bin('eslint/bin/eslint.js'), '.'],
  ['format', bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  [
    ...[
      'imports',
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--output-type',
      'err-long',
    ],
    ...['src', 'cluster', 'test'],
  ],
  ['generated', path.join(root, '.ci', 'generate.js'), '--check'],
  ['house rules', path.join(root, '.ci', 'test.js'), 'test/tidy', 'test/house/'],
]

const failed = checks
  .filter(([name, program, ...parameters]) => {
    console.log(`check ${name}`)
    const run = spawnSync(process.execPath, [program, ...parameters], {
      cwd: root,
      stdio: 'inherit',
    })
    return run.status !== 0
  })
  .map(([name]) => name)

if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}.`)
  process.exitCode = 1
} else {
  console.log(`All ${checks.length} checks passed.`)
}
