/** docs/mutants.md: which bugs were put in, what noticed each, and how long that took. */
import { isCaught, type Hunted } from './hunt.js'

export interface HuntedBy {
  /** Seeds that each mutant was given. */
  readonly seeds: number
  readonly commit: string
  readonly date: string
}

export function mutantsPage(hunted: readonly Hunted[], by: HuntedBy): string {
  const caught = hunted.filter(isCaught).length
  const short = hunted.filter(({ cutShort }) => cutShort).length
  const seconds = hunted.reduce((sum, each) => sum + each.scenarioSeconds + each.seedSeconds, 0)
  return `# Mutants

Known protocol bugs, put into the source one at a time to see the tests notice them: a suite that
cannot fail proves nothing. \`npm run mutants\` plants each as an exact change of one file and runs
every scenario ([scenarios.md](scenarios.md)) and the simulator against it; it fails when one
survives, or when a change no longer fits its file. \`npm run mutants -- --write-docs\` writes this
page. The ten in bold run with every merge (\`--ten\`).

${String(caught)} of ${String(hunted.length)} caught, at commit ${by.commit} on ${by.date}, in ${String(Math.round(seconds))} s of two side by side, with up to
${String(by.seeds)} seeds each: of the simulator's core, or of whole clusters (c) where the bug lies outside of the core.
"Scenario" is the first that fails with the bug in (\`--all\` finds every one that does), "Seed" the
first seed; "none of 20" says how many held. The times are those until then, of a machine with other
work beside it.${short === 0 ? '' : ` ${String(short)} hunts of the simulator were cut short by their time limit; their rows say so.`}

| Mutant | What it breaks | Known from | Scenario | s | Seed | s |
| --- | --- | --- | --- | --- | --- | --- |
${hunted.map(rowOf).join('\n')}
`
}

function rowOf(each: Hunted): string {
  const { mutant, scenarios, scenarioSeconds, seedSeconds } = each
  const cells = [
    mutant.ten === true ? `**${mutant.name}**` : mutant.name,
    mutant.breaks,
    mutant.source,
    scenarios.join(', ') || 'none',
    scenarioSeconds.toFixed(1),
    seedOf(each),
    seedSeconds.toFixed(1),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function seedOf({ mutant, seed, seedsRan, cutShort }: Hunted): string {
  const level = mutant.level === undefined ? '' : ' (c)'
  if (seed !== null) return `${String(seed)}${level}`
  if (seedsRan === 0 && !cutShort) return 'not tried'
  return `none of ${String(seedsRan)}${level}${cutShort ? ', cut short' : ''}`
}
