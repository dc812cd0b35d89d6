import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import type { KeyUse } from '../../approval/index.js'
import { toBase64 } from '../../signing/index.js'
import { generateSigner, writeKeyFile } from '../../signing/key-file.js'
import type { OpenSession } from '../command-module.js'
import { cancelled, usage } from '../failures.js'
import { makeKeyRequest } from '../key-request.js'
import { readPassphrase } from '../read-signer.js'
import type { Session } from '../session.js'

interface Options {
  readonly uses: string
  readonly out?: string
  readonly encrypt?: true
}

export function define(command: Command, open: OpenSession): void {
  command
    .option('--uses <list>', 'propose, approve, detect, analyse', 'approve,propose')
    .option('--out <file>', 'key file; else <dir>/people/<person>.key.pem')
    .option('--encrypt', 'ask for a passphrase (or give it with --passphrase-file)')
    .addHelpText('after', remarks)
    .action(async (options: Options) => {
      const session = open()
      const { output, world } = session
      const person = session.person()
      if (person === undefined || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(person)) {
        throw usage('Say whose key it is.', 'Add --as <person>; an id has a-z, 0-9 and "-".')
      }
      const uses = usesOf(options.uses)
      const { clusterId } = await session.cluster()
      const file =
        options.out === undefined
          ? path.join(session.directory, 'people', `${person}.key.pem`)
          : session.resolve(options.out)
      const passphrase = await newPassphrase(session, options.encrypt === true)
      const signer = generateSigner()
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
      await writeKeyFile(file, signer, passphrase === undefined ? {} : { passphrase })
      const request = makeKeyRequest({ clusterId, person, nowMs: world.wallMs() }, signer, uses)
      const requestFile = `${file.replace(/\.key\.pem$|\.pem$/, '')}.key-request.json`
      await writeFile(requestFile, `${JSON.stringify(request, null, 2)}\n`)
      output.result(
        {
          person,
          keyId: signer.keyId,
          publicKey: toBase64(signer.publicKeySpki),
          uses: request.uses,
          keyFile: file,
          requestFile,
        },
        () => [
          `key of ${person}  ${signer.keyId}`,
          `  private key  ${file}${passphrase === undefined ? '' : ' (under a passphrase)'}`,
          `  request      ${requestFile}`,
        ],
      )
      output.note(
        'Next: somebody who may change people runs',
        `  countersign person add ${person} --kind human --group <group> --key-file ${requestFile}`,
        `and when that change is active: countersign key ack --as ${person}`,
      )
    })
}

const remarks = `
The request holds no secret: give it to whoever proposes you. It is valid for 29 days.`

function usesOf(text: string): KeyUse[] {
  const known: readonly KeyUse[] = ['propose', 'approve', 'detect', 'analyse']
  return [...new Set(text.split(','))].map((word) => {
    const use = known.find((each) => each === word.trim())
    if (use === undefined) throw usage(`"${word}" is not a use: ${known.join(', ')}.`)
    return use
  })
}

async function newPassphrase(session: Session, encrypt: boolean): Promise<string | undefined> {
  const { options, world } = session
  if (options.passphraseFile !== undefined) {
    return readPassphrase(session.resolve(options.passphraseFile))
  }
  if (!encrypt) return undefined
  if (!world.stdinIsTerminal) {
    throw usage('There is no terminal to ask for a passphrase at.', 'Use --passphrase-file.')
  }
  const first = await world.ask('Passphrase: ', { hidden: true })
  const again = await world.ask('Again: ', { hidden: true })
  if (first === null || again === null) throw cancelled('No passphrase was given.')
  if (first !== again) throw usage('The two passphrases differ; no key was made.')
  return first
}
