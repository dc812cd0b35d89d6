/**
 * What the state machine did, for the log of the node: one line an event that somebody may look for
 * later. Who, which change and why; never a value, and no path, which may say as much.
 */
import type { Logger } from 'pino'
import type { MachineEvent } from '../machine/index.js'

export function logEvent(
  log: Logger,
  { index, term }: { readonly index: number; readonly term: number },
  event: MachineEvent,
): void {
  switch (event.kind) {
    case 'activated': {
      const { changeId, mode } = event.activation
      const facts = { changeId, revision: index, paths: event.written.length, mode }
      log.info(facts, 'a change is active')
      return
    }
    case 'stateChanged': {
      // With a code the cluster decided it and not a person: STALE, EXPIRED, VOIDED.
      if (event.code === undefined) return
      const { changeId, from, to, code } = event
      log.info({ index, changeId, from, to, code }, 'the cluster closed a change')
      return
    }
    case 'refused': {
      const { person, changeId, refusal } = event
      log.debug({ index, person, changeId, code: refusal.code }, 'a signed message was refused')
      return
    }
    case 'noise':
      log.error(
        { index, term, code: event.refusal.code },
        'the leader of this term wrote an unchecked command',
      )
      return
    default:
      return
  }
}
