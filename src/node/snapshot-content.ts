/**
 * Is the content of a fetched snapshot the state that it names? Asked before the own log is cut for
 * it: a snapshot that turns out useless afterwards leaves a node with neither.
 */
import { MultisetDigest, recordHash } from '../machine/index.js'
import type { StateCheck } from '../storage/index.js'

export const holdsItsState: StateCheck = async ({ stateDigest }, records) => {
  const digest = new MultisetDigest()
  for await (const portion of records) {
    for (const [key, value] of portion) digest.add(recordHash(key, value))
  }
  return digest.hex() === stateDigest
}
