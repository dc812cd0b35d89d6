import { readFile } from 'node:fs/promises'

/** The version in package.json, seen from dist/src/node/ as from src/node/. */
export async function buildVersion(): Promise<string> {
  for (const place of ['../../../package.json', '../../package.json']) {
    const text = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => null)
    if (text === null) continue
    const { name, version } = JSON.parse(text) as { name?: string; version?: string }
    if (name === 'countersign' && version !== undefined) return version
  }
  return 'unknown'
}
