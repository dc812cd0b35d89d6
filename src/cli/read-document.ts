import { readFile, stat } from 'node:fs/promises'
import type { Json } from '../signing/index.js'
import { readFailure } from './cluster-directory.js'
import { badInput } from './failures.js'
import { parseYaml } from './yaml-document.js'

/** A change has at most 1 MiB with its detached parts; nothing that is read here may be larger. */
export const documentBytesMax = 1024 * 1024

/** Reads a YAML (or JSON) document under the strict profile. */
export async function readDocument(file: string): Promise<Json> {
  const parsed = parseYaml(await readTextFile(file))
  if (parsed.kind === 'ok') return parsed.value
  const where = parsed.line === undefined ? file : `${file}, line ${String(parsed.line)}`
  throw badInput(`${where}: ${parsed.message}.`, 'Correct the file; docs/cli.md has the profile.')
}

export async function readTextFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > documentBytesMax) throw badInput(`${file} is larger than 1 MiB.`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    if (error instanceof TypeError) throw badInput(`${file} is not UTF-8 text.`)
    if (
      error instanceof Error &&
      'code' in error &&
      typeof error.code === 'string' &&
      'errno' in error
    ) {
      throw readFailure(file, error)
    }
    throw error
  }
}
