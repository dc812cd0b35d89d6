import fc from 'fast-check'
import t from 'tap'
import {
  globMatches,
  globsOverlap,
  isAtOrBelow,
  isPath,
  isSystemPath,
  parseGlob,
  type ParsedGlob,
} from '../../src/approval/index.js'
import { globCovers } from '../../src/approval/forms/glob.js'
import '../property-seed.js'

const parsed = (text: string): ParsedGlob => {
  const glob = parseGlob(text)
  if (glob === null) throw new Error(`no glob: ${text}`)
  return glob
}

await t.test('paths', (t) => {
  const good = [
    '/a',
    '/prod/payments/timeout_ms',
    '/A.b~c-d_9',
    '/...',
    '/a/..b',
    `/${'x'.repeat(128)}`,
  ]
  good.push('/a'.repeat(32), `/${'x'.repeat(127)}`.repeat(4))
  for (const path of good) t.ok(isPath(path), path)
  const bad = [
    '',
    '/',
    'a',
    'a/b',
    '/a/',
    '//a',
    '/a//b',
    '/.',
    '/..',
    '/a/../b',
    '/a b',
    '/ä',
    '/a*',
  ]
  bad.push('/a\n', '/a%20', '/a\u0000', `/${'x'.repeat(129)}`, '/a'.repeat(33))
  bad.push(`${`/${'x'.repeat(127)}`.repeat(4)}/x`)
  for (const path of bad) t.notOk(isPath(path), JSON.stringify(path))
  t.ok(isAtOrBelow('/sys/a', '/sys') && isAtOrBelow('/sys', '/sys') && isAtOrBelow('/a', '/'))
  t.notOk(isAtOrBelow('/system', '/sys') || isSystemPath('/system'))
  t.end()
})

await t.test('globs: grammar', (t) => {
  const good = [
    '/**',
    '/prod/**',
    '/*/x',
    '/a*b/c',
    '/**/x/**',
    '/x.*',
    '/*.json',
    '/*',
    '/.*',
    '/*.',
  ]
  for (const glob of good) t.not(parseGlob(glob), null, glob)
  const bad = [
    '',
    '/',
    'a',
    '/***',
    '/a**',
    '/**a',
    '/*a*',
    '/**/a/**/b/**',
    '/a//b',
    '/..',
    '/a?',
    '/[a]',
  ]
  bad.push('/a/', '/{a,b}', '/ä*', `/${'x'.repeat(128)}*`)
  for (const glob of bad) t.equal(parseGlob(glob), null, glob)
  t.end()
})

await t.test('globs: what they match', (t) => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['/prod/**', '/prod', true],
    ['/prod/**', '/prod/a/b/c', true],
    ['/prod/**', '/production', false],
    ['/**', '/x', true],
    ['/prod/*', '/prod', false],
    ['/prod/*', '/prod/a', true],
    ['/prod/*', '/prod/a/b', false],
    ['/**/x', '/x', true],
    ['/**/x', '/a/b/x', true],
    ['/**/x', '/a/b/xy', false],
    ['/a/**/b/**', '/a/b', true],
    ['/a/**/b/**', '/a/c/b/d', true],
    ['/a/**/b/**', '/a/c/d', false],
    ['/a*c', '/ac', true],
    ['/a*c', '/abbbc', true],
    ['/a*c', '/ab', false],
    ['/aa*aa', '/aaa', false],
    ['/*', '/a.b', true],
    ['/PROD/**', '/prod', false],
  ]
  for (const [glob, path, expected] of rows) {
    t.equal(globMatches(glob, path), expected, `${glob} ${path}`)
  }
  t.end()
})

// Few letters, so that wildcards and names meet often.
const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 3 })
const segment = fc.oneof(
  name.filter((text) => text !== '.' && text !== '..'),
  fc
    .tuple(fc.constantFrom('', 'a', 'b'), fc.constantFrom('', 'a', 'b'))
    .map(([x, y]) => `${x}*${y}`),
  fc.constant('**'),
)
const glob = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join('/')}`)
  .filter((text) => parseGlob(text) !== null)
const path = fc
  .array(name, { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join('/')}`)
  .filter(isPath)

/** Segments of a path made wider: as they are, with a star, or swallowed by `**`. */
const widened = (candidate: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...candidate
        .slice(1)
        .split('/')
        .map((part) => widenedSegment(part)),
    )
    .map((parts) => `/${parts.join('/')}`)
    .filter((text) => parseGlob(text) !== null)

const widenedSegment = (part: string): fc.Arbitrary<string> =>
  fc.constantFrom(part, part, '*', `${part.slice(0, 1)}*`, `*${part.slice(1)}`, '**')

const pathWithGlobs = path.chain((candidate) =>
  fc.tuple(fc.constant(candidate), widened(candidate), fc.oneof(widened(candidate), glob)),
)

/** The slow, obvious matcher: every way to spend the wildcards is tried. */
function slowly(globParts: readonly string[], names: readonly string[]): boolean {
  const [head, ...rest] = globParts
  if (head === undefined) return names.length === 0
  if (head === '**') {
    return names.some((_, taken) => slowly(rest, names.slice(taken))) || slowly(rest, [])
  }
  const [first, ...others] = names
  if (first === undefined) return false
  const pattern = new RegExp(`^${head.replaceAll('.', '\\.').replace('*', '.*')}$`)
  return pattern.test(first) && slowly(rest, others)
}

await t.test('property: agrees with the slow, obvious matcher', (t) => {
  let matched = 0
  fc.assert(
    fc.property(glob, path, (text, candidate) => {
      const expected = slowly(text.slice(1).split('/'), candidate.slice(1).split('/'))
      if (expected) matched++
      t.equal(globMatches(text, candidate), expected, `${text} ${candidate}`)
    }),
    { numRuns: 2000 },
  )
  t.ok(matched > 100, 'the property was not idle')
  t.end()
})

await t.test('property: overlap misses no path that both match', (t) => {
  let met = 0
  fc.assert(
    fc.property(pathWithGlobs, ([candidate, a, b]) => {
      const overlap = globsOverlap(parsed(a), parsed(b))
      t.equal(overlap, globsOverlap(parsed(b), parsed(a)), 'symmetric')
      if (globMatches(a, candidate) && globMatches(b, candidate)) {
        met++
        t.ok(overlap, `${a} ${b} ${candidate}`)
      }
    }),
    { numRuns: 2000 },
  )
  t.ok(met > 50, 'the property was not idle')
  t.notOk(globsOverlap(parsed('/a/**'), parsed('/b/**')))
  t.notOk(globsOverlap(parsed('/a*/x'), parsed('/*b/y')))
  t.ok(globsOverlap(parsed('/a*'), parsed('/*b')))
  t.notOk(globsOverlap(parsed('/*'), parsed('/*/*')))
  t.end()
})

await t.test('property: what covers matches everything that the covered one matches', (t) => {
  let covered = 0
  fc.assert(
    fc.property(pathWithGlobs, ([candidate, outer, inner]) => {
      if (!globCovers(parsed(outer), parsed(inner))) return
      covered++
      if (globMatches(inner, candidate)) t.ok(globMatches(outer, candidate), `${outer} ${inner}`)
    }),
    { numRuns: 3000 },
  )
  t.ok(covered > 50, 'the property was not idle')
  t.ok(globCovers(parsed('/prod/**'), parsed('/prod/a/**')))
  t.ok(globCovers(parsed('/prod/**'), parsed('/prod/*/x')))
  t.notOk(globCovers(parsed('/prod/*'), parsed('/prod/**')))
  t.notOk(globCovers(parsed('/prod/a/**'), parsed('/prod/**')))
  t.end()
})

await t.test('the worst glob on the longest path stays a table', (t) => {
  const long = '/a'.repeat(32)
  t.notOk(globMatches('/**/a/a/a/a/a/a/a/a/**/b', long))
  t.notOk(globMatches(`/${'a'.repeat(60)}*${'a'.repeat(60)}b`, `/${'a'.repeat(128)}`))
  t.end()
})
