/** docs/mutants.md: which bugs were put in, and what noticed each. */
import type { Hunted } from './hunt.js'

export function mutantsPage(hunted: readonly Hunted[]): string {
  const withSeeds = hunted.some(({ seedsRan }) => seedsRan > 0)
  const rows = hunted.map(({ mutant, scenarios, seed }) => [
    mutant.ten ? `**${mutant.name}**` : mutant.name,
    mutant.breaks,
    mutant.source,
    scenarios.join(', ') || '-',
    ...(withSeeds ? [seed === null ? '-' : String(seed)] : []),
  ])
  const columns = withSeeds
    ? 'The last columns name the first scenario, and the first seed of the core-level simulator, that\n' +
      'fails with the bug in ("-": none of those tried does).'
    : 'The last column names the scenario that fails first with the bug in.'
  return `# Mutants

Known protocol bugs, put into the source one at a time to see the tests notice them: a suite that
cannot fail proves nothing. \`npm run mutants\` plants each as an exact change of one file and runs
every scenario ([scenarios.md](scenarios.md)) and the simulator against it; it fails when one
survives, or when a change no longer fits its file. \`npm run mutants -- --write-docs\` writes this
page. The ten in bold run with every merge (\`--ten\`).

${columns} \`--all\` finds every scenario that does.

| Mutant | What it breaks | Known from | Scenario |${withSeeds ? ' Seed |' : ''}
| --- | --- | --- | --- |${withSeeds ? ' --- |' : ''}
${rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')}
`
}
