import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A test runs as it is written, in test/, or compiled, in dist/test/. */
function rootAbove(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : rootAbove(path.dirname(folder))
}

export const repositoryRoot = rootAbove(import.meta.dirname)

const made = new Set([
  'node_modules',
  'dist',
  'dist.next',
  'dist.old',
  '.tap',
  '.git',
  '.countersign',
])

/** Every file of the repository, made ones left out, by its path with `/`. */
export function repositoryFiles(): readonly string[] {
  return readdirSync(repositoryRoot, { withFileTypes: true })
    .filter((entry) => !made.has(entry.name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(path.join(repositoryRoot, entry.name), {
            recursive: true,
            withFileTypes: true,
          })
            .filter((inner) => inner.isFile())
            .map((inner) => path.relative(repositoryRoot, path.join(inner.parentPath, inner.name)))
        : [entry.name],
    )
    .map((name) => name.split(path.sep).join('/'))
    .sort()
}

export function readRepositoryFile(name: string): string {
  return readFileSync(path.join(repositoryRoot, name), 'utf8')
}

export function inRepository(name: string): boolean {
  return existsSync(path.join(repositoryRoot, name))
}
