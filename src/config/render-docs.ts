/** docs/configuration.md, made from the schema so that the two cannot differ. */
import { environmentName, settingKeys, settingOf, type Setting } from './schema.js'

export function renderConfigurationDocs(): string {
  const rows = settingKeys.map((key) => {
    const setting = settingOf(key)
    return `| \`${key}\` | ${typeText(setting)} | ${defaultText(setting)} | ${setting.description} |`
  })
  return [
    '<!-- Made from src/config/schema.ts by `npm run generate`. Do not edit. -->',
    '',
    '# Configuration of a node',
    '',
    'A node is started with `countersign node --config FILE`. The file is JSON with the keys below,',
    'sections nested: `{"raft": {"tickMs": 10}}`. `countersign init` writes a complete one.',
    '',
    'Order of precedence: defaults, then the file, then the environment, then flags. The variable of',
    `a key is its name in capitals: \`raft.tickMs\` is \`${environmentName('raft.tickMs')}\`.`,
    'Relative paths are relative to the file. An unknown key is refused. `GET /status` shows what the',
    'node really runs with.',
    '',
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function typeText(setting: Setting): string {
  if (setting.choices !== undefined) return setting.choices.map((each) => `\`${each}\``).join(' ')
  if (setting.isPath === true) return 'path'
  if (setting.type === 'addresses') return 'node id to host:port'
  if (setting.type === 'members') return 'list of nodes'
  if (setting.minimum !== undefined && setting.maximum !== undefined) {
    return `integer, ${String(setting.minimum)} to ${String(setting.maximum)}`
  }
  if (setting.pattern?.includes('[0-9]{1,5}') === true) return 'host:port'
  return setting.type
}

function defaultText(setting: Setting): string {
  if (setting.defaultsTo !== undefined) return `that of \`${setting.defaultsTo}\``
  const mayBeAbsent = setting.type === 'addresses' || setting.type === 'members'
  if (mayBeAbsent || setting.isOptional === true) return 'none'
  return setting.default === undefined ? 'must be given' : `\`${String(setting.default)}\``
}
