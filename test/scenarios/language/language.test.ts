/** The language itself: mistakes are told with file and line, and a false fact fails. */
import t from 'tap'
import { runScenario } from './interpreter.js'
import { parseScenario } from './scenario-file.js'

const head = 'scenario 1: a title\nsource: somewhere\nproves: something\n'

const run = (body: string): void => runScenario(parseScenario('x.scenario', head + body))

await t.test('a scenario as it should be', (t) => {
  t.doesNotThrow(() => run('nodes 1..3\nelect 1  # and so on\nexpect leader 1 of 1..3\n'))
  t.end()
})

await t.test('mistakes are found before anything runs', (t) => {
  const mistakes: readonly [body: string, sentence: string][] = [
    ['nodes 1..3\nelekt 1', 'x.scenario:5: unknown command "elekt"'],
    ['nodes 1..3\nexpect leeder 1', 'x.scenario:5: unknown fact "leeder"'],
    ['nodes 1..3\nelect 1 2', 'x.scenario:5: did not expect "2"'],
    ['nodes 1..3\ncut 1-2', 'x.scenario:5: expected a link'],
    ['nodes 1..3\nexpect term 1 = x', 'x.scenario:5: expected a number, found "x"'],
    ['nodes 1..3\nsay 2->1 vote color 3', 'x.scenario:5: expected a part of the message'],
    ['repeat 3\nnodes 1..3', 'x.scenario:4: this repeat has no end'],
    ['end', 'x.scenario:4: nothing is open here'],
    ['nodes 1..3\nsay 1->* vote', 'x.scenario:5: expected a link between two named nodes'],
    ['nodes 1..3\ntick 1', 'x.scenario:5: expected a number of ticks, found the end of the line'],
  ]
  for (const [body, sentence] of mistakes)
    t.throws(() => run(body), { message: new RegExp(`^${literal(sentence)}`) })
  t.throws(() => parseScenario('x.scenario', 'source: a'), {
    message: /x\.scenario:1: expected the line "scenario N: TITLE"/,
  })
  t.end()
})

await t.test('what is not so is told with the line and the state of the nodes', (t) => {
  const failures: readonly [body: string, sentence: RegExp][] = [
    [
      'nodes 1..3\nelect 1\nexpect leader 2',
      /x\.scenario:6: expect leader 2\n {2}it is not so: leaders: 1;[^]*node 1: leader/,
    ],
    ['nodes 1..3\nexpect not leader none', /it is not so/],
    ['nodes 1..3\ndeliver 1->2 vote', /no such message waits/],
    ['nodes 1..3\nrun 20 until leader any', /not within 20 ticks/],
    [
      'nodes 1\nplayed 2 3\ndisk 1 term 1 commit 2 log 1..2/1\nsay 2->1 append term 2 prev 0/0 entries 1/2',
      /node 1 has stopped itself: a committed entry is never overwritten/,
    ],
    ['nodes 1..3\nelect 1\nexpect fails 1 "anything"', /node 1 has not stopped itself/],
  ]
  for (const [body, message] of failures) t.throws(() => run(body), { message })
  t.end()
})

await t.test('the oracles see what no single node can know', (t) => {
  // Two played leaders of one term give two entries of one position to two followers.
  const twoEntries =
    'nodes 1 2\nplayed 3\ndisk 1 term 2 log 1/1 2/2\ndisk 2 term 2 log 1/2 2/2\nstart'
  t.throws(() => run(twoEntries), { message: /log matching/ })
  const twice =
    'nodes 1\nplayed 2 3\nsay 2->1 vote term 1 last 0/0\ncrash 1\nrestart 1\nsay 2->1 vote term 1 last 0/0'
  t.doesNotThrow(() => run(twice))
  t.end()
})

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
