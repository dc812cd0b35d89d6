/** The one way in which a person acts on a change that exists: look, agree, sign, send. */
import type { Command } from 'commander'
import {
  composeAction,
  composeDecision,
  sign,
  type CountersignClient,
  type SubmitResult,
} from '../client/index.js'
import { CountersignError } from '../errors.js'
import { shortCode } from '../signing/index.js'
import type { OpenSession } from './command-module.js'
import { escapeLine } from './escape.js'
import { cancelled, usage } from './failures.js'
import { openChange, type OpenChange } from './open-change.js'
import { throwClosed } from './closed-change.js'
import { decisionLines } from './present/decisions.js'
import { reviewLines } from './present/review.js'
import { reportSubmitted } from './report-submitted.js'
import type { Session } from './session.js'

type Word = 'approve' | 'reject' | 'revoke' | 'withdraw' | 'activate'

export interface DecideOptions {
  readonly comment?: string
  readonly reason?: string
  readonly code?: string
}

/** What every such command takes. */
export function defineDecision(
  command: Command,
  open: OpenSession,
  word: Word,
  [flag, meaning]: readonly [flag: string, meaning: string] = [
    '--comment <text>',
    'a remark that travels with it',
  ],
): void {
  command
    .argument('<change>', 'its id, or the beginning of it')
    .option(flag, meaning)
    .option('--code <short-code>', 'refuse unless the change has exactly this short code')
    .action(async (change: string, options: DecideOptions) => {
      await decide(open(), word, change, options)
    })
}

const questions: Readonly<Record<Word, string>> = {
  approve: 'Sign an approval of exactly this?',
  reject: 'Sign a no to this?',
  revoke: 'Take your approval of this back?',
  withdraw: 'Withdraw this change?',
  activate: 'Put this into effect now?',
}

export async function decide(
  session: Session,
  word: Word,
  text: string,
  options: DecideOptions,
): Promise<void> {
  const { output } = session
  const { person, signer } = await session.signer()
  const { clusterId } = await session.cluster()
  const client = await session.client()
  const found = await openChange(session, client, text, { asker: person })
  checkCode(found, options.code)
  const style = output.remarkStyle
  output.note(...reviewLines(found.reviewed, style, found.change.state), '')
  const decisions = decisionLines(found.change, style)
  if (decisions.length > 0) output.note('Decisions so far', ...decisions, '')
  if (found.moved.length > 0) {
    output.warn(
      `written on an older base: ${found.moved.map(escapeLine).join(', ')} moved since; the difference above is against what stands now`,
    )
  }
  const comment = await commentOf(session, word, options)
  await session.confirm(questions[word])
  const signatory = {
    clusterId,
    person,
    keyId: signer.keyId,
    change: found.change,
    ...(comment === undefined ? {} : { comment }),
  }
  const message =
    word === 'withdraw' || word === 'activate'
      ? sign(composeAction({ ...signatory, action: word }), signer)
      : sign(composeDecision({ ...signatory, decision: word }), signer)
  const result: SubmitResult = await send(client, word, message).catch((thrown: unknown) =>
    throwClosed(client, found.change.changeId, word, thrown),
  )
  await reportSubmitted(session, client, result, found.opened.contentDigest)
  if (word === 'reject' && result.state !== 'REJECTED') {
    session.output.note(
      'Your no is on record. No veto line of the rules is filled by it, so the change stays open for others.',
    )
  }
}

function send(
  client: CountersignClient,
  word: Word,
  message: Parameters<CountersignClient['decide']>[0],
): Promise<SubmitResult> {
  switch (word) {
    case 'withdraw':
      return client.withdraw(message)
    case 'activate':
      return client.activate(message)
    case 'approve':
    case 'reject':
    case 'revoke':
      return client.decide(message)
  }
}

/** `--code`: what the person was shown elsewhere must be what is signed here. */
function checkCode(found: OpenChange, expected: string | undefined): void {
  if (expected === undefined) return
  const actual = shortCode(found.opened.contentDigest)
  if (normal(actual) === normal(expected)) return
  throw new CountersignError(
    'CONTENT_MISMATCH',
    `The short code of this change is ${actual}, not ${escapeLine(expected)}.`,
    { details: { next: 'Somebody revised it, or another change was meant: look at it again.' } },
  )
}

/** As Crockford's base32 is read: case and hyphens do not count, O is 0, I and L are 1. */
function normal(code: string): string {
  return code.toUpperCase().replace(/-/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
}

async function commentOf(
  session: Session,
  word: Word,
  options: DecideOptions,
): Promise<string | undefined> {
  const given = options.reason ?? options.comment
  if (given !== undefined && given.trim() !== '') return given
  if (word !== 'reject') return undefined
  const missing = usage('A no needs its reason.', 'Add --reason "...".')
  if (!session.world.stdinIsTerminal || session.output.json) throw missing
  const answer = await session.world.ask('Why not? ')
  if (answer === null) throw cancelled('No reason was given.')
  if (answer.trim() === '') throw missing
  return answer
}
