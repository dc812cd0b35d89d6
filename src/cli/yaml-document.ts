/**
 * The strict YAML profile for documents that people write: YAML 1.2 core schema, one document,
 * unique keys, no aliases, no merge keys, no unknown tags. Whatever a parser would only warn of is
 * an error here. JSON is a subset, so `.json` files pass as well.
 */
import { isNode, isScalar, parseDocument, visit, type Document } from 'yaml'
import { isWellFormed, type Json } from '../signing/index.js'

export type YamlResult =
  | { readonly kind: 'ok'; readonly value: Json }
  | { readonly kind: 'error'; readonly message: string; readonly line?: number }

export function parseYaml(text: string): YamlResult {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    // Not 'silent': that hides the error about a second document.
    logLevel: 'error',
  })
  const problem = document.errors[0] ?? document.warnings[0] ?? findForbidden(document)
  if (problem !== undefined) {
    const message = problem.message.split('\n')[0] ?? ''
    return { kind: 'error', message, line: lineAt(text, problem.pos[0]) }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 0 })
  } catch (error) {
    return { kind: 'error', message: error instanceof Error ? error.message : String(error) }
  }
  const fault = findFault(value, '')
  if (fault !== undefined) return { kind: 'error', message: fault }
  return { kind: 'ok', value: value as Json }
}

interface Problem {
  readonly message: string
  readonly pos: readonly [number, number]
}

/** What the parser accepts without a word: another YAML version, tags, keys that are no strings. */
function findForbidden(document: Document.Parsed): Problem | undefined {
  // A `%YAML` directive changes it, whatever the declared type says.
  const version: string = document.directives.yaml.version
  if (version !== '1.2') {
    return { message: 'only YAML 1.2 is read', pos: [0, 0] }
  }
  let found: Problem | undefined
  visit(document, {
    Pair(_, pair) {
      const { key } = pair
      if (isScalar(key) && typeof key.value === 'string') return undefined
      const start = isNode(key) ? (key.range?.[0] ?? 0) : 0
      found = { message: 'a key is not a string: put it in quotes', pos: [start, start] }
      return visit.BREAK
    },
    Node(_, node) {
      const tag = 'tag' in node ? node.tag : undefined
      if (tag === undefined || plainTags.has(tag)) return undefined
      const start = node.range?.[0] ?? 0
      found = { message: `the tag ${tag} is not allowed`, pos: [start, start] }
      return visit.BREAK
    },
  })
  return found
}

const plainTags: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
)

/** What YAML can say and I-JSON cannot: odd numbers, binary, maps with keys that are no strings. */
function findFault(value: unknown, at: string, depth = 0): string | undefined {
  const where = at === '' ? 'the document' : at
  if (depth > depthMax) return `${where} is nested deeper than ${String(depthMax)}`
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? undefined : `${where} holds a lone surrogate`
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER
        ? undefined
        : `${where} is a number outside of ±(2^53-1): write it as a string`
    case 'object':
      break
    default:
      return `${where} is of a type that JSON does not have`
  }
  if (value === null) return undefined
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = findFault(item, `${at}[${String(index)}]`, depth + 1)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    return `${where} is of a type that JSON does not have`
  }
  for (const [name, item] of Object.entries(value)) {
    if (!isWellFormed(name)) return `a name in ${where} holds a lone surrogate`
    const fault = findFault(item, at === '' ? name : `${at}.${name}`, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** The depth that a signed value may have (canonical JSON). */
const depthMax = 32

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
