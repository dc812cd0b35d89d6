import type { Op } from '../approval/index.js'
import { decodeBody } from '../approval/index.js'
import type { SignedBody } from '../approval/index.js'
import type { Verify } from '../signing/index.js'
import { verifyStrict } from '../signing/index.js'
import type { BindingRules } from './change-reader.js'
import { partsOf } from './change-reader.js'
import type { Command } from './commands.js'
import { contentAfter } from './config-tree.js'
import type { Parts } from './config-tree.js'
import type { CommandResult, EntryContent } from './events.js'
import { explain } from './explain.js'
import type { ChangeRow } from './records.js'
import type { Sight } from './sight.js'
import type { Step } from './step.js'
import type { DiffView, PreviewView } from './views.js'

/** Runs a command on a draft that is dropped once the caller has looked at it. */
export type Attempt = <Seen>(
  command: Command,
  verify: Verify,
  look: (step: Step, result: CommandResult | null) => Seen,
) => Seen

interface Subject {
  readonly ops: readonly Op[]
  readonly parts: Parts
  readonly binding?: BindingRules
}

/** What the command would do now: the same checks on the same state, nothing written. */
export function previewOf(sight: Sight, command: Command, attempt: Attempt): PreviewView {
  const signed = signedBodyOf(sight, command)
  const subject = subjectOf(sight, command, signed)
  const diff = subject.ops.map((op) => diffOf(sight, op, subject.parts))
  return attempt(command, verifyStrict, (step, result) => {
    const change = changeOf(step, signed)
    const binding = change === undefined ? subject.binding : step.reader.binding(change)
    return {
      result:
        result?.kind === 'refused'
          ? { kind: 'refused', refusal: result.refusal }
          : { kind: 'accepted' },
      diff,
      rules: binding?.rules ?? [],
      rulesDigest: binding?.digest ?? '',
      ...(change === undefined ? {} : { explanation: explain(step, change) }),
      events: step.events,
    }
  })
}

/** Undefined for a Tick, and for what the decoder refuses: the checks say why. */
function signedBodyOf({ state }: Sight, command: Command): SignedBody | undefined {
  if (command.kind !== 'submit') return undefined
  const decoded = decodeBody(command.envelope, state.governance.featureLevel)
  return decoded.kind === 'ok' ? decoded.signed : undefined
}

/** The ops of the proposal itself, else those of the change that the message is about. */
function subjectOf(sight: Sight, command: Command, signed: SignedBody | undefined): Subject {
  if (signed?.word === 'propose' && command.kind === 'submit') {
    const { body } = signed
    const parts = partsOf(command.detached)
    return { ops: body.ops, parts, binding: sight.reader.bindingOf(body) }
  }
  const change = changeOf(sight, signed)
  if (change === undefined) return { ops: [], parts: new Map() }
  return { ops: sight.reader.body(change).ops, parts: sight.reader.parts(change) }
}

function changeOf({ state }: Pick<Sight, 'state'>, signed?: SignedBody): ChangeRow | undefined {
  if (signed === undefined || !('changeId' in signed.body)) return undefined
  return state.changes.get(signed.body.changeId)
}

function diffOf({ state }: Sight, op: Op, parts: Parts): DiffView {
  const row = state.entries.get(op.path)
  const after = contentIfKnown(op, parts)
  return {
    path: op.path,
    modRevision: row?.modRevision ?? 0,
    ...(row === undefined ? {} : { before: row.content }),
    ...(after === undefined ? {} : { after }),
  }
}

/** A detached part that did not come along is refused by the checks; the diff leaves it out. */
function contentIfKnown(op: Op, parts: Parts): EntryContent | undefined {
  return 'detached' in op && !parts.has(op.detached.digest) ? undefined : contentAfter(op, parts)
}
