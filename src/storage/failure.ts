/** Storage failures as the codes that an operator can look up (docs/errors.md). */
import { CountersignError, type ErrorDetails } from '../errors.js'

/** Says which file and key fail which check. */
export function damaged(
  file: string,
  key: string,
  problem: string,
  details: ErrorDetails = {},
): CountersignError {
  return new CountersignError(
    'STORE_DAMAGED',
    `${file}: ${key} ${problem}. This node neither votes nor leads with it: ` +
      'keep the directory and see "A damaged store" in docs/operating.md. The other nodes hold the log.',
    { details: { file, key, problem, ...details } },
  )
}

/** Nothing else remembers the vote, so no repair can bring it back. */
export function guardLost(
  file: string,
  problem: string,
  details: ErrorDetails = {},
): CountersignError {
  return new CountersignError(
    'GUARD_LOST',
    `${file}: the guard ${problem}, so this node may have voted in a term that it no longer knows. ` +
      'It cannot take part under this identity again: keep the directory, and replace the node with ' +
      '`countersign node replace` (see "A damaged store" in docs/operating.md).',
    { details: { file, key: 'the guard', problem, ...details } },
  )
}

/** The system does not let us at the file, which says nothing about what is in it. */
const refusals: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'EMFILE', 'ENFILE'])
/** The same as LevelDB passes it on: text only. */
const refusalTexts =
  /Permission denied|Operation not permitted|Read-only file system|Too many open files/

/** What LevelDB or the file system threw while `file` was opened or read. */
export function openFailure(file: string, thrown: unknown): CountersignError {
  if (thrown instanceof CountersignError) return thrown
  const codes = codesOf(thrown)
  if (codes.includes('LEVEL_LOCKED')) {
    return new CountersignError(
      'STORE_LOCKED',
      `${file} is open in another process. Stop that process first.`,
      { details: { file }, cause: thrown },
    )
  }
  if (isDiskFull(thrown)) return diskFull(file, thrown)
  if (codes.some((code) => refusals.has(code)) || refusalTexts.test(textOf(thrown))) {
    return writeFailure(file, thrown)
  }
  return damaged(file, 'the store', `cannot be opened or read (${textOf(thrown)})`, {
    cause: textOf(thrown),
  })
}

/** A write or sync that failed; the store is dead from here on. */
export function writeFailure(file: string, thrown: unknown): CountersignError {
  if (thrown instanceof CountersignError) return thrown
  if (isDiskFull(thrown)) return diskFull(file, thrown)
  return new CountersignError(
    'STORE_FAILED',
    `${file}: ${textOf(thrown)}. The node stops; check the disk, then start it again.`,
    { details: { file }, cause: thrown },
  )
}

export function diskFull(file: string, cause: unknown): CountersignError {
  return new CountersignError(
    'DISK_FULL',
    `${file}: the disk is full. Free space, then start the node again.`,
    { details: { file }, cause },
  )
}

function isDiskFull(thrown: unknown): boolean {
  return codesOf(thrown).includes('ENOSPC') || /No space left on device/.test(textOf(thrown))
}

/** The codes along the chain of causes: LevelDB wraps its own. */
function codesOf(thrown: unknown): readonly string[] {
  const codes: string[] = []
  for (let at: unknown = thrown; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') codes.push(at.code)
  }
  return codes
}

function textOf(thrown: unknown): string {
  let deepest = String(thrown)
  for (let at: unknown = thrown; at instanceof Error; at = at.cause) deepest = at.message
  return deepest
}
