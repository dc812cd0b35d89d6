/** docs/soak-report.md: what a soak did, on which commit and machine. */
import type { Figures } from './figures.js'
import { goalsOf } from './goals.js'

export interface PartResult {
  readonly name: string
  readonly command: string
  readonly status: 'passed' | 'failed' | 'not exercised'
  readonly exit: string
  readonly seconds: number
  readonly facts: string
}

export interface SoakResult {
  readonly minutes: number
  readonly seed: number
  readonly commit: string
  /** `YYYY-MM-DD`, UTC. */
  readonly date: string
  readonly machine: string
  readonly parts: readonly PartResult[]
  readonly figures: Figures
}

export function soakPage({ figures, parts, ...about }: SoakResult): string {
  const { sites, surviving } = figures
  const missed = [...sites].filter(([, count]) => count === 0).map(([name]) => name)
  const goals = goalsOf(figures, about.minutes).map(
    ({ what, reached, wanted }) =>
      `| ${what} | ${String(reached)} | ${String(wanted)} | ${reached >= wanted ? 'yes' : 'no'} |`,
  )
  const rows = parts.map(
    ({ name, status, exit, seconds, facts }) =>
      `| ${name} | ${status} | ${exit} | ${String(seconds)} | ${facts.replaceAll('|', '\\|')} |`,
  )
  return `# Soak report

\`npm run soak -- --minutes ${String(about.minutes)} --seed ${String(about.seed)} --write-docs\` wrote this page on ${about.date}, at commit ${about.commit}, on ${about.machine}. What the parts do: [reliability.md](reliability.md).

| goal for this time | reached | wanted | |
|---|---|---|---|
${goals.join('\n')}

${figures.virtualHours.toFixed(1)} hours of virtual time; ${String(figures.messageFaults)} messages lost, late or twice; ${String(figures.kills)} kills of real processes in ${String(figures.strikes)} strikes; ${String(figures.worlds)} worlds searched; ${String(figures.diskPoints)} points at which a disk was cut off or hurt.

| part | verdict | exit | seconds | |
|---|---|---|---|---|
${rows.join('\n')}

Named rare paths of the simulation: ${String(sites.size - missed.length)} of ${String(sites.size)} were taken${missed.length === 0 ? '' : `; not: ${missed.join('; ')}`}.

Mutants: ${String(figures.mutants - surviving.length)} of ${String(figures.mutants)} were caught${surviving.length === 0 ? '' : `; not: ${surviving.join('; ')}`}.
`
}
