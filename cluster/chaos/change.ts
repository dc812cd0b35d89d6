/**
 * One change from proposal to activation, recorded twice: as a put on the register of its path, and
 * as the steps of its own state. In some, the author withdraws while the last approval is under way:
 * exactly one of the two may win.
 */
import type { CountersignClient, SubmitResult } from '../../src/client/index.js'
import { changePrefix } from '../linearizability/index.js'
import { codeOf, isOpen } from './outcome.js'
import type { People, PersonName } from './people.js'
import type { Recorder } from './recorder.js'
import type { SeededRandom } from './seeded-random.js'

export interface ChangeContext {
  readonly name: string
  readonly client: CountersignClient
  readonly people: People
  readonly recorder: Recorder
  readonly random: SeededRandom
}

const withdrawShare = 0.1

/** Reads the path, as a recorded `get`; undefined when nobody answered. */
export async function readPath(context: ChangeContext, key: string): Promise<number | undefined> {
  const { name, client, recorder } = context
  const startMs = recorder.nowMs()
  const asked = { client: name, op: 'get', key } as const
  try {
    const { value } = await client.get(key)
    const content = value.content.kind === 'value' ? value.content.value : null
    recorder.ok(startMs, { ...asked, result: content })
    return value.modRevision
  } catch (error) {
    if (codeOf(error) !== 'UNKNOWN_PATH') return undefined
    recorder.ok(startMs, { ...asked, result: null })
    return 0
  }
}

/** Reads the state of a change, as a recorded `get`. */
export async function readChange(context: ChangeContext, changeId: string, asker?: PersonName) {
  const { name, client, recorder } = context
  const startMs = recorder.nowMs()
  const { value } = await client.getChange(changeId, asker && { asker })
  const key = `${changePrefix}${changeId}`
  recorder.ok(startMs, { client: name, op: 'get', key, result: value.state })
  return value
}

type Step = 'ok' | 'fail' | 'info'

/** Returns the change id when the proposal is committed. */
export async function makeChange(
  context: ChangeContext,
  key: string,
  value: number,
): Promise<string | undefined> {
  const { name, client, people, recorder, random } = context
  const [author, first, last] = random.shuffled(people.names)
  if (author === undefined || first === undefined || last === undefined) return undefined
  const modRevision = await readPath(context, key)
  if (modRevision === undefined) return undefined

  const put = { client: name, op: 'put', key, value } as const
  const startMs = recorder.nowMs()
  const { changeId, message } = people.propose(author, { path: key, value, modRevision })
  recorder.putBy(changeId, value)
  const proposal = { client: name, op: 'put', key: `${changePrefix}${changeId}` } as const
  try {
    await client.propose(message)
    recorder.ok(startMs, { ...proposal, value: 'OPEN' })
  } catch (error) {
    if (isOpen(error)) recorder.info(startMs, { ...proposal, value: 'OPEN' })
    else recorder.fail(startMs, { ...proposal, value: 'OPEN' })
    // Without approvals it cannot take effect, whatever became of the proposal.
    recorder.fail(startMs, put)
    return undefined
  }

  let outcome = await decide(context, changeId, first, 'approve', 'OPEN')
  if (outcome.step === 'ok') {
    const withdrawing = random.chance(withdrawShare)
      ? decide({ ...context, name: `${name}-author` }, changeId, author, 'withdraw', 'WITHDRAWN')
      : undefined
    outcome = await decide(context, changeId, last, 'approve', 'ACTIVE')
    await withdrawing
  } else if (outcome.step === 'info') {
    // One approval is not enough: the put cannot have taken effect.
    outcome = { step: 'fail' }
  }
  const activatedAt = outcome.result?.activatedAt
  if (outcome.step === 'ok' && activatedAt !== undefined) {
    recorder.ok(startMs, put)
    recorder.acknowledged.push({ path: key, changeId, activatedAt })
  } else if (outcome.step === 'info' || outcome.result?.state === 'APPROVED') {
    recorder.info(startMs, put)
  } else {
    recorder.fail(startMs, put)
  }
  return changeId
}

/** A decision as a compare-and-set on the state of the change; `expected` when nobody answers. */
async function decide(
  context: ChangeContext,
  changeId: string,
  person: PersonName,
  what: 'approve' | 'withdraw',
  expected: string,
): Promise<{ readonly step: Step; readonly result?: SubmitResult }> {
  const { name, client, people, recorder } = context
  const asked = { client: name, op: 'cas', key: `${changePrefix}${changeId}`, old: 'OPEN' } as const
  let message
  try {
    const view = await readChange(context, changeId, person)
    if (view.state !== 'OPEN') return { step: 'fail' }
    message = people[what](person, view)
  } catch (error) {
    codeOf(error)
    return { step: 'fail' }
  }
  const startMs = recorder.nowMs()
  try {
    const result = await (what === 'approve' ? client.decide(message) : client.withdraw(message))
    recorder.ok(startMs, { ...asked, value: result.state ?? expected })
    return { step: 'ok', result }
  } catch (error) {
    const step = isOpen(error) ? 'info' : 'fail'
    recorder[step](startMs, { ...asked, value: expected })
    return { step }
  }
}
