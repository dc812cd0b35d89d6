import { readFile } from 'node:fs/promises'
import { CountersignError } from '../errors.js'
import type { Signer } from '../signing/index.js'
import { needsPassphrase, readKeyFile } from '../signing/key-file.js'
import { readFailure } from './cluster-directory.js'
import { cancelled } from './failures.js'
import type { World } from './world.js'

/** Opens a person's key file; asks for the passphrase where one is needed. */
export async function readSigner(
  world: World,
  source: { readonly person: string; readonly file: string; readonly passphraseFile?: string },
): Promise<Signer> {
  const text = await readFile(source.file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw readFailure(source.file, error)
    throw new CountersignError('KEY_FILE', `There is no key file ${source.file}.`, {
      details: {
        next: `Make a key with \`countersign key new --as ${source.person}\`, or name it with --key.`,
      },
    })
  })
  const encrypted = needsPassphrase(text)
  const passphrase = encrypted ? await passphraseOf(world, source) : undefined
  return readKeyFile(source.file, passphrase === undefined ? {} : { passphrase })
}

async function passphraseOf(
  world: World,
  source: { readonly file: string; readonly passphraseFile?: string },
): Promise<string> {
  if (source.passphraseFile !== undefined) return readPassphrase(source.passphraseFile)
  if (!world.stdinIsTerminal) {
    throw new CountersignError('KEY_FILE', `${source.file} needs a passphrase.`, {
      details: { next: 'Give it with --passphrase-file; there is no terminal to ask at.' },
    })
  }
  const answer = await world.ask(`Passphrase of ${source.file}: `, { hidden: true })
  if (answer === null) throw cancelled('No passphrase was given.')
  return answer
}

/** The first line of the file. */
export async function readPassphrase(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw readFailure(file, error)
  })
  return text.replace(/\r?\n[\s\S]*$/, '')
}
