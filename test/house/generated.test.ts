/** `npm run check:generated` names every file that is not what its source makes. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { inRepository, readRepositoryFile, repositoryRoot } from './repository.js'

interface Run {
  readonly code: number
  readonly output: string
}

/** The repository, but with pages of its own, and with what `changed` makes of a script. */
function repositoryWith(
  t: Test,
  pages: Record<string, string>,
  changed: (script: string) => string = (script) => script,
): string {
  const linked = ['node_modules', 'proto', 'src', 'cluster', 'dist', 'test', 'package-lock.json']
  const configs = ['package.json', 'tsconfig.json', 'tsconfig.build.json']
  const scripts = readdirSync(path.join(repositoryRoot, '.ci'))
  return t.testdir({
    ...Object.fromEntries(
      [...linked, ...configs].map((name) => [
        name,
        t.fixture('symlink', path.join(repositoryRoot, name)),
      ]),
    ),
    '.ci': Object.fromEntries(
      scripts.map((name) => [name, changed(readRepositoryFile(`.ci/${name}`))]),
    ),
    docs: pages,
  })
}

function check(directory: string): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['.ci/generate.js', '--check'],
      { cwd: directory },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr })
      },
    )
  })
}

await t.test('a changed byte is found and named', async (t) => {
  t.setTimeout(120_000)
  t.ok(inRepository('dist'), 'the build is there: run `npm run build` first')
  const pages = Object.fromEntries(
    ['errors.md', 'metrics.md', 'configuration.md', 'limits.md'].map((name) => [
      name,
      readRepositoryFile(`docs/${name}`),
    ]),
  )
  const errors = pages['errors.md'] ?? ''
  const changed = await check(
    repositoryWith(t, { ...pages, 'errors.md': errors.replace('canonical', 'cannonical') }),
  )
  t.equal(changed.code, 1)
  t.match(changed.output, 'docs/errors.md is not what its source makes')
  t.notMatch(changed.output, 'docs/metrics.md', 'and only that one')

  const { 'metrics.md': _, ...fewer } = pages
  const missing = await check(repositoryWith(t, fewer))
  t.equal(missing.code, 1)
  t.match(missing.output, 'docs/metrics.md is not what its source makes')
})

await t.test('a limit without a description, and the reverse, fail', async (t) => {
  const row = /^ +titleBytesMax: .*\n/m
  const missing = await check(repositoryWith(t, {}, (script) => script.replace(row, '')))
  t.equal(missing.code, 1)
  t.match(missing.output, 'titleBytesMax of src/approval/limits.ts has no row')
  const named = (script: string) => script.replace('titleBytesMax:', 'titelBytesMax:')
  const superfluous = await check(repositoryWith(t, {}, named))
  t.equal(superfluous.code, 1)
  t.match(superfluous.output, 'describes titelBytesMax')
})
