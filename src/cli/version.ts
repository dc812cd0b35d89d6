import { readFileSync } from 'node:fs'

/** From package.json: two folders up from here in src/, three in dist/src/. */
export function version(): string {
  for (const place of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), 'utf8')
      const manifest = JSON.parse(text) as { readonly name?: string; readonly version?: string }
      if (manifest.name === 'countersign') return manifest.version ?? 'unknown'
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'unknown'
}
