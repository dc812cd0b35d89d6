/**
 * Several compiled test files in this one process, one after the other: tap counts them together.
 * Which ones stands in the environment: tap names the folders that tests ask for after the words of
 * the command line, and a file name has an end.
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

for (const file of JSON.parse(process.env['TEST_FILES'] ?? '[]')) {
  try {
    await import(pathToFileURL(path.resolve(file)).href)
  } catch (error) {
    t.fail(`${file} ended with an error`, { found: String(error?.stack ?? error) })
  }
}
