/** Every rule of .dependency-cruiser.cjs reports the file that breaks it. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { repositoryRoot } from './repository.js'
import { bystanders, violations } from './import-violations.js'

const configFile = path.join(repositoryRoot, '.dependency-cruiser.cjs')
const { forbidden } = createRequire(import.meta.url)(configFile) as {
  readonly forbidden: readonly { readonly name: string }[]
}

interface Report {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
    }[]
  }
}

function cruise(directory: string): Promise<Report> {
  const program = path.join(
    repositoryRoot,
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
  )
  const parameters = ['--config', configFile, '--output-type', 'json', 'src', 'cluster']
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [program, ...parameters],
      { cwd: directory, maxBuffer: 64 * 1024 * 1024 },
      // The exit code counts the violations, so an error is what one expects here.
      (_error, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout) as Report)
        } catch {
          reject(new Error(stderr))
        }
      },
    )
  })
}

await t.test('every import rule reports the file that breaks it', async (t) => {
  const directory = t.testdir({
    'tsconfig.json': '{ "compilerOptions": { "module": "nodenext", "target": "es2023" } }',
    'package.json': '{ "type": "module" }',
  })
  const files = { ...bystanders, ...Object.fromEntries(violations.map((v) => [v.file, v.content])) }
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true })
    writeFileSync(path.join(directory, file), content)
  }
  const report = await cruise(directory)
  const reported = new Set(report.summary.violations.map((v) => `${v.rule.name} ${v.from}`))
  for (const { rule, file } of violations) {
    t.ok(reported.has(`${rule} ${file}`), `${rule} reports ${file}`)
  }
})

await t.test('every rule has a file that breaks it', async (t) => {
  t.same(
    [...new Set(forbidden.map((rule) => rule.name))].sort(),
    [...new Set(violations.map((violation) => violation.rule))].sort(),
  )
})
