/** The bans of eslint.config.js on the pure rooms report what they forbid, and only there. */
import path from 'node:path'
import { ESLint } from 'eslint'
import t from 'tap'
import { repositoryRoot } from './repository.js'

/** One line each: the code, and the rule that must report it. */
const banned: readonly (readonly [code: string, rule: string])[] = [
  ['export const a1 = Date.now()', 'no-restricted-globals'],
  ['export const a2 = globalThis.Date', 'no-restricted-globals'],
  ['setTimeout(() => undefined, 1)', 'no-restricted-globals'],
  ['setInterval(() => undefined, 1)', 'no-restricted-globals'],
  ['setImmediate(() => undefined)', 'no-restricted-globals'],
  ['queueMicrotask(() => undefined)', 'no-restricted-globals'],
  ['export const a3 = process.env', 'no-restricted-globals'],
  ['console.log(1)', 'no-restricted-globals'],
  ['export const a4 = performance.now()', 'no-restricted-globals'],
  ['export const a5 = crypto.randomUUID()', 'no-restricted-globals'],
  ['export const a6 = fetch', 'no-restricted-globals'],
  ['export const a7 = Promise.resolve(1)', 'no-restricted-globals'],
  ['export const a8 = new Intl.Collator()', 'no-restricted-globals'],
  ['export const b1 = Math.random()', 'no-restricted-properties'],
  ["export const b2 = 'a'.localeCompare('b')", 'no-restricted-properties'],
  ['export const b3 = (1).toLocaleString()', 'no-restricted-properties'],
  ["export const b4 = 'a'.toLocaleLowerCase()", 'no-restricted-properties'],
  ["export const b5 = 'a'.toLocaleUpperCase()", 'no-restricted-properties'],
  [
    'export const c1 = () => { for (const k in { a: 1 }) return k; return 0 }',
    'no-restricted-syntax',
  ],
  ['export const c2 = async () => 1', 'no-restricted-syntax'],
  ['export async function c3() { return await 1 }', 'no-restricted-syntax'],
  ["export const c4 = () => import('node:fs')", 'no-restricted-syntax'],
  ['export type C5 = Promise<number>', 'no-restricted-syntax'],
  ["export const d1 = ['b', 'a'].sort()", '@typescript-eslint/require-array-sort-compare'],
  ['export const d2 = [2, 1].toSorted()', '@typescript-eslint/require-array-sort-compare'],
]

/** Banned besides, where results must agree to the last bit. */
const inexact: readonly (readonly [code: string, rule: string])[] = [
  ...['exp', 'log', 'pow', 'sin', 'cos', 'tan', 'atan2', 'log10', 'cbrt', 'hypot'].map(
    (name, n) => [`export const e${n} = Math.${name}(2, 2)`, 'no-restricted-properties'] as const,
  ),
]

/** Banned in every file, because of what it costs us: a floating promise is a lost write. */
const bannedEverywhere: readonly (readonly [code: string, rule: string])[] = [
  [
    'async function f1() { return await Promise.resolve(1) }; f1()',
    '@typescript-eslint/no-floating-promises',
  ],
  [
    "export const f2 = (x: 'a' | 'b') => { switch (x) { case 'a': return 1 } return 2 }",
    '@typescript-eslint/switch-exhaustiveness-check',
  ],
  [
    "import { Stats } from 'node:fs'; export type F3 = Stats",
    '@typescript-eslint/consistent-type-imports',
  ],
  ['export const f4 = (x: any) => x', '@typescript-eslint/no-explicit-any'],
  ['export const f5 = (x: number) => x == 1', 'eqeqeq'],
]

async function reported(
  directory: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const eslint = new ESLint({
    cwd: directory,
    overrideConfigFile: path.join(repositoryRoot, 'eslint.config.js'),
  })
  const found = new Map<string, Set<string>>()
  for (const result of await eslint.lintFiles([...files])) {
    const name = path.relative(directory, result.filePath)
    for (const { ruleId, line } of result.messages) {
      const key = `${name}:${line}`
      found.set(key, (found.get(key) ?? new Set()).add(ruleId ?? 'parse error'))
    }
  }
  return found
}

const fileOf = (rows: readonly (readonly [string, string])[]) =>
  rows.map(([code]) => code).join('\n') + '\nexport {}\n'

const tsconfig = JSON.stringify({
  compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, types: ['node'] },
  include: ['src'],
})

await t.test('what a pure room must not do is reported', async (t) => {
  const pure = ['raft', 'machine', 'approval', 'audit', 'risk', 'response', 'signing']
  const exact = ['machine', 'approval', 'audit', 'signing']
  const all = [...banned, ...inexact]
  const directory = t.testdir({
    'tsconfig.json': tsconfig,
    'package.json': '{ "type": "module" }',
    src: {
      ...Object.fromEntries(pure.map((room) => [room, { 'bad.ts': fileOf(all) }])),
      node: { 'fine.ts': fileOf(all), 'bad.ts': fileOf(bannedEverywhere) },
    },
  })
  const files = [...pure.map((room) => `src/${room}/bad.ts`), 'src/node/fine.ts', 'src/node/bad.ts']
  const found = await reported(directory, files)
  const has = (file: string, n: number, rule: string) =>
    found.get(`${file}:${n + 1}`)?.has(rule) ?? false

  for (const room of pure) {
    const rows = exact.includes(room) ? all : banned
    const missed = rows.filter(([, rule], n) => !has(`src/${room}/bad.ts`, n, rule))
    t.same(missed, [], `${room}: every banned line is reported`)
  }
  t.same(
    all.filter(([, rule], n) => has('src/node/fine.ts', n, rule)),
    [],
    'the bans hold only in the pure rooms',
  )
  t.same(
    bannedEverywhere.filter(([, rule], n) => !has('src/node/bad.ts', n, rule)),
    [],
    'what is banned everywhere is reported',
  )
})
