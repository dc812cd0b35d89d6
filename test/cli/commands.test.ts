import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { loneMachine } from './lone-machine.js'
import { run, type Ran } from './terminal.js'

const workingDirectory = t.testdir({
  'prod.yaml':
    'format: 1\nrules:\n  - id: prod-default\n    paths: [/prod/**]\n    propose: {groups: [operators]}\n    need: [{count: 2, group: operators}]\n    risk: {high: {need: [{count: 2, group: operators}]}}\n',
})
await run(['init', '--example', '--dir', 'c'], { workingDirectory })
const client = await loneMachine(path.join(workingDirectory, 'c'))

async function cs(line: string, ...more: string[]): Promise<Ran> {
  const argv = [...line.split(' '), ...more, '--dir', 'c']
  return run(argv, { workingDirectory, client })
}

async function json(line: string, ...more: string[]): Promise<Ran['json']> {
  return (await cs(line, ...more, '--json', '--yes')).json
}

/** Ids, digests, codes and times differ in each run; the rest is the text that people read. */
function settled(text: string): string[] {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, '<digest>')
    .replace(/\b[0-9a-f]{32}\b/g, '<change>')
    .replace(/\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}\b/g, '<code>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<time>')
    .replace(/\((now|\d+\w( \d+\w)? ago)\)/g, '(<ago>)')
    .trimEnd()
    .split('\n')
}

let first = ''

await t.test('propose shows what is signed, and says who can approve', async (t) => {
  const ran = await cs(
    'propose --as alice --yes --set /prod/payments/timeout_ms=2500 --set /prod/payments/mode=on',
    '--reason',
    'Slow bank\nsince Tuesday',
  )
  t.equal(ran.exit, 0, ran.stderr)
  t.same(settled(ran.stdout), ['change <change>  OPEN'])
  const sheet = settled(ran.stderr)
  t.same(sheet.slice(0, 13), [
    'Slow bank',
    '  change      <change>, revision 1, config',
    '  author      alice',
    '  reason      Slow bank',
    '              since Tuesday',
    '',
    '+ /prod/payments/mode',
    '    + "on"',
    '+ /prod/payments/timeout_ms',
    '    + 2500',
    '',
    '  digest      <digest>',
    '  short code  <code>',
  ])
  t.ok(sheet.includes('  -- 0 of 2 from operators (prod/prod-default); can fill: bob, carol'))
  first = (/change ([0-9a-f]{32})/.exec(ran.stdout)?.[1] ?? '').slice(0, 8)
})

await t.test('what is shown is what is signed: the code is the same everywhere', async (t) => {
  const shown = await json(`show ${first}`)
  const diff = await json(`diff ${first}`)
  t.match(shown.result, { shortCode: diff.result['shortCode'], signed: { title: 'Slow bank' } })
  t.match(shown.result, { rationale: 'Slow bank\nsince Tuesday', moved: [] })
  const wrong = await json(`approve ${first} --as bob --code 0000-0000-0000-0000`)
  t.match(wrong.error, { code: 'CONTENT_MISMATCH' })
})

await t.test('nobody signs without a yes', async (t) => {
  const silent = await cs(`approve ${first} --as bob`)
  t.equal(silent.exit, 2)
  t.match(silent.stderr, /USAGE: This signs/)
  const asked = async (...answers: string[]) =>
    run(['approve', first, '--as', 'bob', '--dir', 'c'], { workingDirectory, client, answers })
  for (const answer of ['', 'n', 'yess', 'Y es']) {
    const no = await asked(answer)
    t.equal(no.exit, 130, `"${answer}" is not a yes`)
    t.match(no.asked[0], /Sign an approval of exactly this\? \[y\/N\]/)
  }
  t.match((await json(`show ${first}`)).result, { change: { approvals: 0 } })
})

await t.test('refusals keep their code and exit code', async (t) => {
  const cases: readonly (readonly [line: string, code: string, exit: number])[] = [
    [`approve ${first} --as alice`, 'SELF_APPROVAL', 5],
    [`approve ${first} --as agent`, 'AGENT_CANNOT_APPROVE', 5],
    [`activate ${first} --as bob`, 'TRANSITION_NOT_ALLOWED', 4],
    ['propose --as bob --set /staging/x=1 --title x', 'AUTHOR_NOT_ALLOWED', 5],
    ['propose --as bob --set /prod/x=1 --set /sys/groups/x=1 --title x', 'KIND_MISMATCH', 3],
    ['propose --as bob --set /prod/x=1 --set /prod/x=2 --title x', 'INPUT_INVALID', 2],
    ['propose --as bob --set /prod//x=1 --title x', 'INPUT_INVALID', 2],
    ['propose --as bob --set /prod/x=1', 'USAGE', 2],
    ['propose --as bob --title x', 'USAGE', 2],
    ['propose --as agent --set /prod/x=1 --title x', 'USAGE', 2],
    ['propose --as nobody --set /prod/x=1 --title x', 'KEY_FILE', 4],
    ['propose --set /prod/x=1 --title x', 'USAGE', 2],
    [`reject ${first} --as bob`, 'USAGE', 2],
    ['get /prod/nothing', 'UNKNOWN_PATH', 6],
    ['show ffffffff', 'UNKNOWN_CHANGE', 6],
    ['show ff', 'USAGE', 2],
    ['show xyz', 'USAGE', 2],
    ['policy show nothing', 'UNKNOWN_PATH', 6],
  ]
  for (const [line, code, exit] of cases) {
    const ran = await cs(`${line} --json --yes`)
    t.match(ran.json, { ok: false, error: { code } }, line)
    t.equal(ran.exit, exit, line)
    t.equal(ran.stderr, '', line)
  }
})

await t.test('preview writes nothing', async (t) => {
  const before = client.machine.recomputeDigest()
  const good = await json('preview --as bob --set /prod/new=1 --title new')
  t.match(good.result, { verdict: 'accepted', diff: [{ path: '/prod/new' }], rules: [{}] })
  const bad = await json('preview --as bob --set /staging/x=1 --title new')
  t.match(bad.result, { verdict: 'refused', refusal: { code: 'AUTHOR_NOT_ALLOWED' } })
  t.equal(client.machine.recomputeDigest(), before)
})

await t.test('the quorum activates it, and everybody can read by whom', async (t) => {
  t.match((await json(`approve ${first} --as bob`, '--comment', 'fine')).result, { state: 'OPEN' })
  const second = await json(`approve ${first} --as carol`)
  t.match(second.result, { state: 'ACTIVE', repeated: false })
  const at = Number(second.result['activatedAt'])
  t.equal((await cs('get /prod/payments/timeout_ms')).stdout, '2500\n')
  t.equal((await cs('get /prod/payments/mode')).stdout, '"on"\n')
  t.equal((await cs('get /prod/payments/mode --raw')).stdout, 'on\n')
  t.same(settled((await cs('list /prod')).stdout), [
    'PATH                       REVISION  VALUE',
    `/prod/payments/mode        ${String(at).padEnd(8)}  "on"`,
    `/prod/payments/timeout_ms  ${String(at).padEnd(8)}  2500`,
  ])
  t.match((await json('history /prod/payments/mode')).result, {
    writes: [{ modRevision: at, author: 'alice', approvers: ['bob', 'carol'], title: 'Slow bank' }],
  })
  t.same(settled((await cs(`show ${first}`)).stdout), [
    'Slow bank',
    '  change      <change>, revision 1, config',
    '  author      alice',
    '  reason      Slow bank',
    '              since Tuesday',
    '',
    'What it wrote:',
    '/prod/payments/mode',
    '    "on"',
    '/prod/payments/timeout_ms',
    '    2500',
    '',
    '  digest      <digest>',
    '  short code  <code>',
    '  state       ACTIVE',
    '  proposed    <time> (<ago>)',
    `  active      at revision ${String(at)}, <time> (auto)`,
    '  counted     bob, carol',
    '',
    'Decisions',
    '  <time>  bob approves',
    '    "fine"',
    '  <time>  carol approves',
  ])
})

await t.test('an active change says what it wrote, and that it is in effect', async (t) => {
  for (const line of [`diff ${first}`, `show ${first}`]) {
    const { stdout, stderr } = await cs(line)
    t.match(stdout, /^What it wrote:$/m, line)
    t.notMatch(stdout + stderr, 'older base', 'it moved the paths itself')
  }
  t.match((await json(`show ${first}`)).result, { moved: [] })
  for (const word of ['activate', 'revoke', 'withdraw']) {
    const { exit, stderr } = await cs(`${word} ${first} --as bob --yes`)
    t.equal(exit, 4, word)
    t.match(stderr, /error NOT_OPEN: .* is ACTIVE/)
    t.match(stderr, /next: It is already in effect, since revision \d+/)
    t.notMatch(stderr, '@', 'no key of a record')
    t.notMatch(stderr, 'older base')
  }
})

await t.test('a change whose base moved goes STALE; it can be proposed anew', async (t) => {
  const propose = async (value: number) =>
    String(
      (await json(`propose --as alice --set /prod/race=${String(value)} --title race`)).result[
        'changeId'
      ],
    )
  const [winner, loser] = [await propose(1), await propose(2)]
  for (const person of ['bob', 'carol']) await json(`approve ${winner} --as ${person}`)
  const shown = await cs(`show ${loser}`)
  t.match(shown.stdout, /state {7}STALE/)
  t.match(shown.stdout, /closed: .*\(STALE_BASE\)/)
  const revised = await json(`revise ${loser} --as alice`)
  t.match(revised.error, { code: 'NOT_OPEN', details: { next: /propose --like/ } })
  const anew = await json(`propose --like ${loser} --as alice`)
  t.match(anew.result, { state: 'OPEN', revision: 1 })
  const diff = await cs(`diff ${String(anew.result['changeId'])}`)
  t.match(diff.stdout, /~ \/prod\/race {2}\(revision \d+\)\n {4}- 1\n {4}\+ 2\n/)
})

await t.test('revise keeps what is not said anew; reject and withdraw', async (t) => {
  const made = await json(
    'propose --as alice --set /prod/r=1 --title keep --reason why --manual --open 24h',
  )
  const id = String(made.result['changeId'])
  const revised = await json(`revise ${id} --as alice --set /prod/r=2`)
  t.match(revised.result, { revision: 2 })
  const { result } = await json(`show ${id}`)
  t.match(result, { signed: { title: 'keep', activate: 'manual', open: '24h' }, rationale: 'why' })
  const no = await run(['reject', id, '--as', 'bob', '--dir', 'c'], {
    ...{ workingDirectory, client },
    answers: ['Not\u202enow', 'y'],
  })
  t.equal(no.exit, 0, no.stderr)
  t.same(no.asked[0], 'Why not? ')
  t.match((await cs(`show ${id}`)).stdout, /bob rejects\n {4}"Not\\u\{202e\}now"/)
  for (const person of ['bob', 'carol']) await json(`approve ${id} --as ${person}`)
  t.match((await json(`activate ${id} --as alice`)).result, { state: 'ACTIVE' })
  const other = await json('propose --as alice --set /prod/w=1 --title w')
  t.match((await json(`withdraw ${String(other.result['changeId'])} --as bob`)).result, {
    state: 'WITHDRAWN',
  })
})

await t.test('an agent is answered for', async (t) => {
  const made = await json('propose --as agent --set /prod/agent=1 --title t --model some-model')
  const { result } = await json(`show ${String(made.result['changeId'])}`)
  t.match(result, {
    signed: {
      sponsor: 'alice',
      provenance: { model: 'some-model', promptDigest: 'none', tool: 'countersign-cli' },
    },
  })
})

await t.test('a fourth person joins, and cannot be smuggled in', async (t) => {
  const key = await json('key new --as dave')
  t.match(key.result, { person: 'dave', uses: ['approve', 'propose'] })
  t.match((await json('key new --as dave')).error, { code: 'KEY_FILE' }, 'a key is never replaced')
  const added = await json('person add dave --as alice --group operators --display-name Dave')
  t.match(added.result, { state: 'OPEN' })
  const id = String(added.result['changeId'])
  t.match((await json('key ack --as dave')).error, { code: 'UNKNOWN_KEY' })
  for (const person of ['bob', 'carol']) await json(`approve ${id} --as ${person}`)
  t.match((await cs('people')).stdout, /^dave .*\(approve, propose\) pending/m)
  t.match((await json('key ack --as dave')).ok, true)
  const listed = (await json('people')).result['people'] as { id: string; keys: object[] }[]
  const states = listed.map(({ id, keys }) => [id, keys.map((one) => 'state' in one && one.state)])
  t.match(Object.fromEntries(states), { alice: ['active'], dave: ['waiting'] })
  const people = (await cs('people')).stdout
  t.match(people, /^dave {4}human {2}active {2}operators/m)
  t.match(people, /^operators {2}alice, bob, carol, dave/m)
  t.match((await json('person add dave --as alice')).error, { code: 'INPUT_INVALID' })
  t.match((await json('person add erin --as alice')).error, { message: /key of the new person/ })
  await writeFile(path.join(workingDirectory, 'forged.json'), '{"format": 1}')
  const forged = await json('person add erin --as alice --key-file forged.json')
  t.match(forged.error, { code: 'INPUT_INVALID' })
})

await t.test('policies: shown as YAML that can be proposed again, checked before', async (t) => {
  t.same((await cs('policy show prod')).stdout.split('\n').slice(1, 6), [
    'format: 1',
    'rules:',
    '  - id: prod-default',
    '    paths:',
    '      - /prod/**',
  ])
  const good = await json('policy check prod.yaml')
  t.match(good.result, {
    name: 'prod',
    judgedAgainst: 'cluster',
    rules: ['prod-default'],
    remarks: [{ rule: 'prod-default', field: 'risk' }],
  })
  const check = async (text: string, ...more: string[]) => {
    await writeFile(path.join(workingDirectory, 'bad.yaml'), text)
    return (await json('policy check bad.yaml', ...more)).error
  }
  const rule = (need: string) =>
    `format: 1\nrules: [{id: a, paths: [/x/**], propose: {groups: [operators]}, need: [${need}]}]`
  t.match(await check(rule('{count: 9, group: operators}')), { code: 'POLICY_UNSATISFIABLE' })
  t.match(await check(rule('{count: 1, group: operators}')), { code: 'POLICY_BELOW_FLOOR' })
  t.match(await check(rule('{count: 2, group: nobody}')), { code: 'POLICY_UNSATISFIABLE' })
  t.match(await check(rule('{counts: 2, group: operators}'), '--offline'), { code: 'BODY_INVALID' })
  t.match(await check('format: 1\nformat: 1'), { code: 'INPUT_INVALID', message: /line 2/ })
  const offline = await json('policy check prod.yaml --offline')
  t.match(offline.result, { judgedAgainst: 'form' })
  t.match((await json('policy check prod.yaml --genesis c/genesis.json')).ok, true)
})

await t.test('changes are listed and filtered', async (t) => {
  const all = (await json('changes')).result['changes'] as { state: string }[]
  t.ok(all.length > 5)
  const open = (await json('changes --open')).result['changes'] as { state: string }[]
  t.ok(open.length > 0 && open.every(({ state }) => state === 'OPEN' || state === 'APPROVED'))
  t.match((await json('changes --author agent')).result, { changes: [{ author: 'agent' }] })
  t.match((await json('changes --state stale')).result, { changes: [{ state: 'STALE' }] })
  t.match((await json('changes --state odd')).error, { code: 'USAGE' })
  t.equal(((await json('changes --limit 2')).result['changes'] as unknown[]).length, 2)
})

await t.test('SUPERSEDED is of revisions, no state to look for', async (t) => {
  const { error } = await json('changes --state superseded')
  t.match(error, { code: 'USAGE' })
  t.notMatch(error, { message: /SUPERSEDED,/ })
})

await t.test('a watch that begins in the future says so', async (t) => {
  t.match((await cs('watch / --after 999999')).stderr, /revision 999999 is not reached yet/)
})

await t.test('watch prints a line for each activation', async (t) => {
  const ran = await cs('watch /prod/ --after 0 --json')
  const events = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Ran['json'])
  t.match(events[0], { ok: true, command: 'watch', result: { event: 'started', revision: 0 } })
  t.match(events[1], {
    result: { event: 'activation', written: [{ path: '/prod/payments/mode' }, {}] },
  })
  t.match((await cs('watch /prod/payments/mode --after 0')).stdout, /\/prod\/payments\/mode = "on"/)
})

await t.test('a title and a value that would fool a terminal are shown as they are', async (t) => {
  const evil = '\u001b[2Jharmless\u202e'
  const made = await json(
    'propose --as alice',
    '--set-string',
    `/prod/evil=${evil}`,
    '--title',
    evil,
  )
  const id = String(made.result['changeId'])
  for (const line of [`show ${id}`, `diff ${id}`, 'changes']) {
    const { stdout } = await cs(line)
    t.notOk(/[\u001b\u202e]/.test(stdout), line)
  }
  t.match((await cs(`show ${id}`)).stdout, '\\u{1b}[2Jharmless\\u{202e}')
  const raw = await cs(`show ${id} --json`)
  t.notOk(/[\u001b\u202e]/.test(raw.stdout), 'JSON escapes them its own way')
  t.match(raw.json.result, { signed: { title: evil } })
})
