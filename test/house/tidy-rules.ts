/**
 * House rules that no other tool knows. Each looks at the files of the repository (path -> text)
 * and says for each finding where it is and what to do.
 */
import path from 'node:path'

export type Tree = ReadonlyMap<string, string>

export interface Finding {
  readonly file: string
  readonly line: number
  readonly sentence: string
}

export type TidyRule = (tree: Tree) => readonly Finding[]

const isProgram = (file: string) => /^(src|cluster|test|\.ci)\/.*\.(ts|js|cjs)$/.test(file)
const isGenerated = (file: string) => file.startsWith('src/wire/generated/')
/** The rules themselves and their bad examples have to name what they forbid. */
const isAboutRules = (file: string) => /^test\/(house\/|tidy\.test\.ts$)/.test(file)
const isPage = (file: string) => file.endsWith('.md')

function filesWhere(tree: Tree, wanted: (file: string) => boolean): [string, string][] {
  return [...tree].filter(([file]) => wanted(file) && !isGenerated(file) && !isAboutRules(file))
}

/** One finding for each line that matches. */
function linesMatching(
  tree: Tree,
  wanted: (file: string) => boolean,
  find: (line: string) => string | undefined,
): Finding[] {
  return filesWhere(tree, wanted).flatMap(([file, text]) =>
    text.split('\n').flatMap((line, n) => {
      const sentence = find(line)
      return sentence === undefined ? [] : [{ file, line: n + 1, sentence }]
    }),
  )
}

const vagueNames = new Set([
  ...['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc', 'shared', 'stuff'],
])

const vagueName: TidyRule = (tree) =>
  [...tree.keys()].filter(isProgram).flatMap((file) => {
    const words = file.split('/').flatMap((part) => [part.split('.')[0] ?? '', part])
    const vague = words.find((word) => vagueNames.has(word))
    return vague === undefined
      ? []
      : [{ file, line: 1, sentence: `"${vague}" says nothing; name the file after its one job.` }]
  })

const openEnds: TidyRule = (tree) =>
  linesMatching(tree, isProgram, (line) => {
    const found = /\b(TODO|FIXME|XXX)\b(?:\((\d{3})\))?/.exec(line)
    if (found === null) return undefined
    const decided =
      found[2] !== undefined &&
      [...tree.keys()].some((file) => file.startsWith(`docs/decisions/${found[2] ?? ''}-`))
    return decided ? undefined : `Finish it, or write TODO(NNN) with the number of its decision.`
  })

const codeInComment = new RegExp(
  [
    /^import .* from ['"]/,
    /^export (const|function|class|interface|type|default) /,
    /^(const|let|var) [\w{[][^.]* = /,
    /^(if|for|while|switch) \(.*\) \{$/,
    /^return [\w.]+\(.*\)$/,
    /^await [\w.]+\(/,
    /^[\w.]+\([^ ]*\)$/,
    /^[\])}]+[,)]?$/,
  ]
    .map((pattern) => pattern.source)
    .join('|'),
)

const deadCode: TidyRule = (tree) =>
  linesMatching(tree, isProgram, (line) => {
    const comment = /^\s*\/\/ ?(.*)$/.exec(line)?.[1]
    return comment !== undefined && codeInComment.test(comment.trim())
      ? 'This is commented-out code; delete it, git remembers it.'
      : undefined
  })

const sleepingTest: TidyRule = (tree) =>
  linesMatching(
    tree,
    (file) => file.startsWith('test/'),
    (line) =>
      /\bt\.(only|skip|todo)\(|\b(skip|todo|only): *true\b/.test(line)
        ? 'This test does not run, or keeps others from running.'
        : undefined,
  )

/** The look-behind keeps paths of our own such as docs/home/ out of it. */
const machinePath = /(?<![\w.~-])\/(work|root|farm)\/[\w.]/
/** These two stand for "somebody's folder" in examples of tests. */
const homePath = /(?<![\w.~-])\/(home|Users)\/[\w.]/

const noMachinePath: TidyRule = (tree) =>
  ['test/', ''].flatMap((place) =>
    linesMatching(
      tree,
      (file) => file.startsWith('test/') === (place === 'test/'),
      (line) =>
        machinePath.test(line) || (place === '' && homePath.test(line))
          ? 'This is a path of one machine; it exists nowhere else.'
          : undefined,
    ),
  )

const lockFile: TidyRule = (tree) =>
  linesMatching(
    tree,
    (file) => file === 'package-lock.json' || file === '.npmrc',
    (line) => {
      if (/"resolved":|^registry *=/.test(line)) {
        return 'The lock file names a host. Keep omit-lockfile-registry-resolved=true and make it again.'
      }
      if (/: "(file:|link:|git[+:]|\/|\.\.)/.test(line)) {
        return 'A dependency outside the registry; a fresh clone cannot get it.'
      }
      return undefined
    },
  )

/** The anchor that a Markdown heading gets, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function anchorsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] ?? '')))
}

const links: TidyRule = (tree) => {
  const folders = new Set([...tree.keys()].flatMap(foldersOf))
  return filesWhere(tree, isPage).flatMap(([file, text]) =>
    text.split('\n').flatMap((line, n) =>
      [...line.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
        const [target = '', anchor] = (match[1] ?? '').split('#')
        if (/^[a-z]+:/.test(target)) return []
        const name = target === '' ? file : path.posix.join(path.posix.dirname(file), target)
        const goal = name.replace(/\/$/, '')
        const known = tree.get(goal)
        const exists = known !== undefined || folders.has(goal)
        const found = anchor === undefined || (known !== undefined && anchorsOf(known).has(anchor))
        return exists && found
          ? []
          : [{ file, line: n + 1, sentence: `The link to ${match[1] ?? ''} leads nowhere.` }]
      }),
    ),
  )
}

function foldersOf(file: string): string[] {
  const parts = file.split('/').slice(0, -1)
  return parts.map((_, n) => parts.slice(0, n + 1).join('/'))
}

/** `npm run X`, `npm X` and `countersign X` in pages must be something that one can run. */
const shownCommands: TidyRule = (tree) => {
  const scripts = Object.keys(
    (JSON.parse(tree.get('package.json') ?? '{}') as { scripts?: Record<string, string> })
      .scripts ?? {},
  )
  const commands = commandNames(tree)
  const own = new Set(['init', 'ci', 'install', 'help'])
  return linesMatching(tree, isPage, (line) => {
    for (const [, script = ''] of line.matchAll(/\bnpm run ([a-z][a-z:-]*)/g)) {
      if (!scripts.includes(script)) return `package.json has no script "${script}".`
    }
    for (const [, script = ''] of line.matchAll(/`npm (start|test|[a-z]+)\b/g)) {
      if (script !== 'run' && !scripts.includes(script) && !own.has(script)) {
        return `npm has no command "${script}" here.`
      }
    }
    for (const [, word = ''] of line.matchAll(/(?:^\s*|\$ |`|--no )countersign ([a-z]+)/g)) {
      if (!commands.has(word)) return `countersign has no command "${word}".`
    }
    return undefined
  })
}

/** The names in the table of src/cli/program.ts. */
export function commandNames(tree: Tree): ReadonlySet<string> {
  const program = tree.get('src/cli/program.ts') ?? ''
  const table = /\nconst commands:[^]*?\n\}\n/.exec(program)?.[0] ?? ''
  return new Set(['help', ...[...table.matchAll(/^ {2}(\w+): \{$/gm)].map((m) => m[1] ?? '')])
}

/** Every command of the table is explained to users somewhere. */
const documentedCommands: TidyRule = (tree) => {
  const pages = [...tree].filter(([file]) => isPage(file)).map(([, text]) => text)
  return [...commandNames(tree)]
    .filter((name) => !pages.some((text) => new RegExp(`countersign ${name}\\b`).test(text)))
    .map((name) => ({
      file: 'src/cli/program.ts',
      line: 1,
      sentence: `No page shows \`countersign ${name}\`; add it to docs/cli.md.`,
    }))
}

/** What has several implementations, and the suite that each of them must pass. */
const contracts = [
  ['src/storage/log-store.ts', 'test/contract/log-store.test.ts'],
  ['src/storage/state-store.ts', 'test/contract/state-store.test.ts'],
] as const

const contractSuites: TidyRule = (tree) =>
  contracts
    .filter(([port, suite]) => tree.has(port) && !tree.has(suite))
    .map(([file, suite]) => ({
      file,
      line: 1,
      sentence: `Its contract suite ${suite} is missing.`,
    }))

const decisions: TidyRule = (tree) => {
  const records = [...tree].filter(([file]) => file.startsWith('docs/decisions/'))
  const numbers = new Map<string, string>()
  return records.flatMap(([file, text]) => {
    const number = /^docs\/decisions\/(\d{3})-[a-z0-9-]+\.md$/.exec(file)?.[1]
    const earlier = number === undefined ? undefined : numbers.get(number)
    if (number !== undefined) numbers.set(number, file)
    const wrong =
      number === undefined
        ? 'A decision is named NNN-title.md.'
        : earlier !== undefined
          ? `Its number is taken by ${earlier}.`
          : text.startsWith(`# ${number} `)
            ? undefined
            : `Its title starts with "# ${number} ".`
    return wrong === undefined ? [] : [{ file, line: 1, sentence: wrong }]
  })
}

/** A page or comment that cites a decision cites one that exists. */
const citedDecisions: TidyRule = (tree) =>
  linesMatching(
    tree,
    (file) => isProgram(file) || isPage(file) || file.startsWith('.'),
    (line) => {
      for (const [name] of line.matchAll(/docs\/decisions\/\d{3}[a-z0-9.-]*/g)) {
        const wanted = name.replace(/\.(md)?$/, '')
        if (![...tree.keys()].some((file) => file.startsWith(wanted))) {
          return `There is no decision ${name}.`
        }
      }
      return undefined
    },
  )

/** A comment cites pages of this repository, by their path from its root, or public sources. */
const citedPages: TidyRule = (tree) =>
  linesMatching(
    tree,
    (file) => isProgram(file) || file.endsWith('.proto'),
    (line) => {
      const comment = /^\s*(?:\/\/|\/?\*)(.*)$/.exec(line)?.[1] ?? ''
      const missing = [...comment.matchAll(/[\w./-]+\.md\b/g)].find(([page]) => !tree.has(page))
      return missing === undefined ? undefined : `There is no page ${missing[0]}.`
    },
  )

export const tidyRules: Readonly<Record<string, TidyRule>> = {
  ...{ vagueName, openEnds, deadCode, sleepingTest, noMachinePath, lockFile, links },
  ...{ shownCommands, documentedCommands, contractSuites },
  ...{ decisions, citedDecisions, citedPages },
}
