/** Pages of docs/ that mirror a table of the program. */

const exitCodes = [
  [0, 'done'],
  [2, 'usage or input'],
  [3, 'malformed message'],
  [4, 'refused by the state of the cluster'],
  [5, 'not authenticated or not allowed'],
  [6, 'not found'],
  [7, 'limit reached'],
  [8, 'not available now, try again'],
  [9, 'evidence of damage or fork'],
  [70, 'internal'],
  [130, 'cancelled'],
]

/** docs/errors.md from the table of src/errors.ts. */
export function errorsPage(errorTable) {
  const rows = Object.entries(errorTable).map(
    ([code, row]) =>
      `| \`${code}\` | ${row.grpc} | ${row.http} | ${row.exit} | ${row.retryable ? 'yes' : 'no'} | ${row.sentence.replaceAll('|', '\\|')} |`,
  )
  return [
    '<!-- Made from src/errors.ts by `npm run generate`. Do not edit. -->',
    '',
    '# Errors',
    '',
    'Every refusal and failure carries a stable code, a sentence that says what to do, and facts for',
    'machines. Codes are API: none is renamed, and a retired one is never used again.',
    '',
    'Over gRPC the code travels in the trailer `countersign-refusal-bin` (message `Refusal` of',
    '`proto/countersign/v1/envelope.proto`) with the facts, and as `reason` of a `google.rpc.ErrorInfo`',
    'of the domain `countersign` in `grpc-status-details-bin`; over HTTP in the JSON body; on the command',
    'line in the first word after `error`, or with `--json` in `error.code`.',
    '',
    '*Retry*: the same signed bytes may be sent again as they are. A message that the cluster knows',
    'already returns its first result, so a retry never counts twice.',
    '',
    '| code | gRPC | HTTP | exit | retry | meaning and what to do |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    '## Exit codes of the command line',
    '',
    '| exit | meaning |',
    '|---|---|',
    ...exitCodes.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
  ].join('\n')
}

/** docs/metrics.md from the catalogue of src/status. */
export function metricsPage(catalogue) {
  const rows = Object.values(catalogue).map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  )
  return [
    '<!-- Made from src/status/metric-catalogue.ts by `npm run generate`. Do not edit. -->',
    '',
    '# Metrics',
    '',
    '`GET /metrics` on the status port, in the Prometheus text format. Names and labels are API.',
    'Beside these there are the usual ones of the Node process (`process_*`, `nodejs_*`). Counters',
    'count from the start of the process. What to watch: [operating.md](operating.md#what-to-watch).',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
