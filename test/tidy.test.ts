/** House rules as a test: none is broken here, and each one reports a bad example. */
import t from 'tap'
import { errorTable } from '../src/errors.js'
import { readRepositoryFile, repositoryFiles } from './house/repository.js'
import { tidyRules, type Finding, type Tree } from './house/tidy-rules.js'

const isText = (file: string) => !/\.(png|ico|woff2?|bin|gz)$/.test(file)
const repository: Tree = new Map(
  repositoryFiles()
    .filter(isText)
    .map((file) => [file, readRepositoryFile(file)]),
)

const shown = ({ file, line, sentence }: Finding) => `${file}:${line} ${sentence}`

const command = '\nconst commands: T = {\n  propose: {\n    load,\n  },\n}\n'

/** For each rule a small tree that breaks it, and where. */
const bad: Readonly<Record<string, { readonly tree: Record<string, string>; at: string[] }>> = {
  vagueName: {
    tree: { 'src/node/utils.ts': '', 'src/common/a.ts': '', 'src/node/fine.ts': '' },
    at: ['src/node/utils.ts:1', 'src/common/a.ts:1'],
  },
  openEnds: {
    tree: {
      'src/a.ts': '// TODO later\n// TODO(001) decided\n// FIXME(002) not decided\n',
      'docs/decisions/001-a.md': '',
    },
    at: ['src/a.ts:1', 'src/a.ts:3'],
  },
  deadCode: {
    tree: { 'src/a.ts': '// const a = 1\n// A constant is not code.\n// return f(1)\n//   })\n' },
    at: ['src/a.ts:1', 'src/a.ts:3', 'src/a.ts:4'],
  },
  sleepingTest: {
    tree: { 'test/a.test.ts': "t.skip('a')\nt.test('b', { skip: true })\nt.test('c')\n" },
    at: ['test/a.test.ts:1', 'test/a.test.ts:2'],
  },
  noMachinePath: {
    tree: { 'docs/a.md': 'see /home/me/file\nsee docs/home/file\n', 'x.json': '"/root/.npm"' },
    at: ['docs/a.md:1', 'x.json:1'],
  },
  lockFile: {
    tree: {
      'package-lock.json':
        '"version": "1.0.0",\n"resolved": "https://registry.example/a.tgz",\n"a": "file:../a",\n',
    },
    at: ['package-lock.json:2', 'package-lock.json:3'],
  },
  links: {
    tree: {
      'docs/a.md': '# One two\n[a](b.md) [c](#one-two)\n[d](#three)\n[e](https://example.org)\n',
      'README.md': '[f](docs/a.md#one-two) [g](docs/) [h](doc/)\n',
    },
    at: ['docs/a.md:2', 'docs/a.md:3', 'README.md:1'],
  },
  shownCommands: {
    tree: {
      'package.json': '{"scripts":{"demo":"x"}}',
      'src/cli/program.ts': command,
      'a.md': 'npm run demo\nnpm run dmeo\n`countersign propose`\n  countersign purpose\n',
    },
    at: ['a.md:2', 'a.md:4'],
  },
  documentedCommands: {
    tree: { 'src/cli/program.ts': command, 'a.md': 'countersign help' },
    at: ['src/cli/program.ts:1'],
  },
  contractSuites: {
    tree: { 'src/storage/log-store.ts': '' },
    at: ['src/storage/log-store.ts:1'],
  },
  decisions: {
    tree: {
      'docs/decisions/001-a.md': '# 001 A\n',
      'docs/decisions/001-b.md': '# 001 B\n',
      'docs/decisions/2-c.md': '# 2 C\n',
      'docs/decisions/003-d.md': '# D\n',
    },
    at: ['docs/decisions/001-b.md:1', 'docs/decisions/2-c.md:1', 'docs/decisions/003-d.md:1'],
  },
  citedDecisions: {
    tree: {
      'src/a.ts': '// docs/decisions/001-a.md\n// docs/decisions/009\n',
      'docs/decisions/001-a.md': '',
    },
    at: ['src/a.ts:2'],
  },
  citedPages: {
    tree: {
      'src/a.ts': "/** See docs/a.md. */\n// As notes.md says.\nconst page = 'notes.md'\n",
      'proto/a.proto': '// The rule of notes.md 2.6.\n',
      'docs/a.md': '',
    },
    at: ['src/a.ts:2', 'proto/a.proto:1'],
  },
}

await t.test('no house rule is broken', async (t) => {
  for (const [name, rule] of Object.entries(tidyRules)) {
    t.same(rule(repository).map(shown), [], name)
  }
})

await t.test('every house rule reports its bad example', async (t) => {
  for (const [name, rule] of Object.entries(tidyRules)) {
    const example = bad[name]
    if (example === undefined) {
      t.fail(`${name} has no bad example`)
      continue
    }
    const found = rule(new Map(Object.entries(example.tree)))
    t.same(
      found.map(({ file, line }) => `${file}:${line}`),
      example.at,
      name,
    )
  }
})

await t.test('docs/errors.md and the table of codes name the same codes', async (t) => {
  const page = repository.get('docs/errors.md') ?? ''
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1])
  t.same(listed, Object.keys(errorTable))
})

await t.test('what is generated is marked for reviewers', async (t) => {
  const marked = repository.get('.gitattributes') ?? ''
  for (const place of [
    'src/wire/generated/',
    'docs/errors.md',
    'docs/configuration.md',
    'docs/metrics.md',
    'docs/limits.md',
  ]) {
    t.match(marked, place, place)
  }
})

const largest = [...repository]
  .filter(([file]) => /^(src|cluster)\/.*\.ts$/.test(file) && !file.includes('/generated/'))
  .map(([file, text]) => ({ file, lines: text.split('\n').length }))
  .sort((a, b) => b.lines - a.lines)
  .slice(0, 10)
t.comment(`largest files: ${largest.map(({ file, lines }) => `${file} ${lines}`).join(', ')}`)
