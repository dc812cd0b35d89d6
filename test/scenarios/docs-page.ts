/** docs/scenarios.md: every scenario by its number, with its source and its file. */
import type { Scenario } from './catalogue.js'

export function scenariosPage(scenarios: readonly Scenario[]): string {
  const rows = scenarios.map(({ number, title, proves, source, file }) => {
    const name = file.slice(file.lastIndexOf('/') + 1)
    return [String(number), `${title}: ${proves}`, source, `[${name}](../${file})`]
  })
  return `# Scenarios

What the consensus core and the rooms around it are held against, one file each: \`npm run scenario\`
runs them all, \`npm run scenario -- 18\` those with that number. Most are written in a small language
(\`test/scenarios/language/\`) over real cores, with a network and disks that do what the file says;
after every step the invariants of each node and the safety of the whole cluster are checked. Those
that end in \`.ts\` run the storage, the state machine or the transport.

Sources: E etcd-io/raft, H hashicorp/raft, O databendlabs/openraft, T tikv/raft-rs, L
logcabin/logcabin, B baidu/braft, C canonical/raft; a letter with a number is an issue or pull
request there, a hexadecimal number a commit, another name a project of that name.

| # | Scenario: what it proves | Source | File |
| --- | --- | --- | --- |
${rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')}
`
}
