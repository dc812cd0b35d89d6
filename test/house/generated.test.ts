/** `npm run check:generated` names every file that is not what its source makes. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { limits } from '../../src/approval/limits.js'
import { inRepository, readRepositoryFile, repositoryRoot } from './repository.js'

interface Run {
  readonly code: number
  readonly output: string
}

/** The repository, but with pages of its own. */
function repositoryWith(t: Test, pages: Record<string, string>): string {
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
    '.ci': Object.fromEntries(scripts.map((name) => [name, readRepositoryFile(`.ci/${name}`)])),
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

await t.test('a changed byte, and a page that is missing, are found and named', async (t) => {
  t.ok(inRepository('dist'), 'the build is there: run `npm run build` first')
  const pages = Object.fromEntries(
    ['errors.md', 'configuration.md', 'limits.md'].map((name) => [
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
  t.match(changed.output, 'docs/metrics.md is not what its source makes', 'the missing one')
  t.notMatch(changed.output, /configuration|limits|countersign\.(js|d\.ts)/, 'and only those')
})

await t.test('a limit without a description, and the reverse, fail', async (t) => {
  const generator = pathToFileURL(path.join(repositoryRoot, '.ci/limits-page.js')).href
  const { limitsPage } = (await import(generator)) as {
    readonly limitsPage: (modules: Readonly<Record<string, unknown>>) => string
  }
  const page = (approval: Readonly<Record<string, unknown>>) => () => limitsPage({ approval })
  const { titleBytesMax: _, ...fewer } = limits
  t.throws(page({ limits: fewer }), /describes titleBytesMax/)
  t.throws(
    page({ limits: { ...limits, subtitleBytesMax: 1 } }),
    /subtitleBytesMax of src\/approval\/limits\.ts has no row/,
  )
})
