/** Reads the file of `init --genesis-file`: what the founders decided, in YAML. */
import { createPublicKey } from 'node:crypto'
import path from 'node:path'
import type { KeyUse, Person, PersonKey, PolicyDocument } from '../../approval/index.js'
import {
  decodePublicKey,
  fromBase64,
  toBase64,
  type Json,
  type JsonObject,
} from '../../signing/index.js'
import { badInput } from '../failures.js'
import { Fields } from '../fields.js'
import { readDocument, readTextFile } from '../read-document.js'
import type { Founding } from './genesis.js'

export async function readFounding(file: string): Promise<Founding> {
  const folder = path.dirname(file)
  const fields = new Fields(await readDocument(file), '')
  const people = fields.list('people').map(person)
  const keys: PersonKey[] = []
  for (const [index, item] of fields.list('keys').entries()) {
    keys.push(await key(item, `keys[${String(index)}]`, folder, people))
  }
  const floor = new Fields(fields.any('floor'), 'floor')
  const limits = fields.has('limits') ? new Fields(fields.any('limits'), 'limits') : undefined
  const defaults = fields.has('defaults')
    ? new Fields(fields.any('defaults'), 'defaults')
    : undefined
  const founding: Founding = {
    name: fields.text('name'),
    people,
    keys,
    groups: fields.list('groups').map(group),
    policies: await policies(fields.any('policies'), folder),
    floor: {
      config: floor.whole('config'),
      sys: floor.whole('sys'),
      lowRisk: floor.texts('lowRisk').sort(),
    },
    ...fields.givenTexts(['coolOff', 'riskTimeout', 'agreementWindow', 'lifeMax']),
    ...(defaults === undefined
      ? {}
      : { defaults: { open: defaults.text('open'), use: defaults.text('use') } }),
    ...(limits === undefined
      ? {}
      : {
          limits: {
            openChanges: limits.whole('openChanges'),
            openChangesPerPerson: limits.whole('openChangesPerPerson'),
            revisionsPerChange: limits.whole('revisionsPerChange'),
          },
        }),
  }
  for (const each of [floor, limits, defaults, fields]) each?.end()
  return founding
}

function person(item: Json, index: number): Person {
  const fields = new Fields(item, `people[${String(index)}]`)
  const kind = oneOf(fields, 'kind', ['human', 'agent', 'service'])
  const quota = fields.has('quota')
    ? new Fields(fields.any('quota'), fields.place('quota'))
    : undefined
  const scope = fields.texts('scope').sort()
  const found: Person = {
    id: fields.text('id'),
    kind,
    displayName: fields.textOrNone('displayName') ?? fields.text('id'),
    status: 'active',
    ...fields.givenTexts(['sponsor', 'node']),
    ...(scope.length === 0 ? {} : { scope }),
    ...(quota === undefined
      ? {}
      : { quota: { open: quota.whole('open'), perDay: quota.whole('perDay') } }),
  }
  quota?.end()
  fields.end()
  return found
}

async function key(
  item: Json,
  where: string,
  folder: string,
  people: readonly Person[],
): Promise<PersonKey> {
  const fields = new Fields(item, where)
  const owner = fields.text('person')
  const file = fields.textOrNone('publicKeyFile')
  const text = file === undefined ? fields.text('publicKey') : undefined
  const listed = fields.texts('uses')
  fields.end()
  const spki = text ?? (await publicKeyOf(path.resolve(folder, file ?? '')))
  const decoded = decodePublicKey(spki)
  if (decoded.kind === 'refused') throw badInput(`${where}: ${decoded.refusal.message}`)
  const human = people.find(({ id }) => id === owner)?.kind === 'human'
  const uses = listed.length > 0 ? listed.sort() : human ? ['approve', 'propose'] : ['propose']
  return {
    keyId: decoded.keyId,
    person: owner,
    algorithm: 'ed25519',
    publicKey: spki,
    // decodeGenesis refuses a use that does not exist.
    uses: uses as KeyUse[],
    status: 'active',
  }
}

/** SPKI in base64, from a PEM file or from a request that `key new` wrote. */
export async function publicKeyOf(file: string): Promise<string> {
  const text = await readTextFile(file)
  if (text.includes('PRIVATE KEY')) {
    throw badInput(
      `${file} is a private key.`,
      'Give the public half: `countersign key new` writes it.',
    )
  }
  if (text.includes('BEGIN PUBLIC KEY')) {
    try {
      return toBase64(createPublicKey(text).export({ type: 'spki', format: 'der' }))
    } catch {
      throw badInput(`${file} is not a public key in PEM.`)
    }
  }
  const trimmed = text.trim()
  if (fromBase64(trimmed) === null) throw badInput(`${file} holds neither PEM nor base64.`)
  return trimmed
}

function group(item: Json, index: number): Founding['groups'][number] {
  const fields = new Fields(item, `groups[${String(index)}]`)
  const found = {
    name: fields.text('name'),
    purpose: fields.textOrNone('purpose') ?? fields.text('name'),
    members: fields.texts('members').sort(),
  }
  fields.end()
  return found
}

/** A mapping of names to documents, or to the names of files that hold them. */
async function policies(value: Json | undefined, folder: string): Promise<Founding['policies']> {
  const fields = new Fields(value, 'policies')
  const found: Founding['policies'][number][] = []
  for (const name of fields.names()) {
    const given = fields.any(name)
    const document =
      typeof given === 'string' ? await readDocument(path.resolve(folder, given)) : given
    // decodeGenesis decodes and judges it; a wrong shape is refused there by name.
    found.push({ name, document: document as JsonObject as unknown as PolicyDocument })
  }
  return found
}

function oneOf<Word extends string>(fields: Fields, name: string, words: readonly Word[]): Word {
  const value = fields.text(name)
  const word = words.find((each) => each === value)
  if (word === undefined)
    throw badInput(`${fields.place(name)} must be one of ${words.join(', ')}.`)
  return word
}
