import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { openChange, type OpenChange } from '../open-change.js'
import { decisionLines } from '../present/decisions.js'
import { explanationLines } from '../present/explanation.js'
import { plainJson } from '../present/plain-json.js'
import { fact, reviewLines } from '../present/review.js'
import { stateText } from '../present/state.js'
import { distanceText, timeText } from '../present/time.js'
import { escapeLine } from '../escape.js'
import type { Style } from '../style.js'
import { shortCode } from '../../signing/index.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<change>', 'its id, or the beginning of it')
    .option('--local', 'answer from whichever node is asked; may be old')
    .action(async (text: string, options: { readonly local?: true }) => {
      const session = open()
      const { output, world } = session
      const person = session.person()
      const found = await openChange(session, await session.client(), text, {
        local: options.local === true,
        ...(person === undefined ? {} : { asker: person }),
      })
      output.result(
        {
          change: plainJson(found.change),
          signed: plainJson(found.reviewed.body),
          shortCode: shortCode(found.opened.contentDigest),
          diff: plainJson(found.reviewed.diff),
          moved: found.moved,
          ...(found.reviewed.rationale === undefined
            ? {}
            : { rationale: found.reviewed.rationale }),
          revision: found.revision,
        },
        () => humanLines(found, output.style, world.wallMs()),
      )
    })
}

function humanLines(found: OpenChange, style: Style, nowMs: number): string[] {
  const { change, reviewed } = found
  const open = change.state === 'OPEN' || change.state === 'APPROVED'
  const lines = [
    ...fact('state', stateText(change.state, style)),
    ...fact('proposed', `${timeText(change.openedAt)} (${distanceText(change.openedAt, nowMs)})`),
  ]
  if (change.activation !== undefined) {
    const { activation } = change
    const by = activation.counted.map(({ person }) => escapeLine(person)).join(', ')
    lines.push(
      ...fact(
        'active',
        `at revision ${String(activation.index)}, ${timeText(activation.at)} (${activation.mode})`,
      ),
      ...fact('counted', by),
    )
  }
  if (open && change.openDeadline !== undefined && change.state === 'OPEN') {
    lines.push(...fact('open until', timeText(change.openDeadline)))
  }
  if (open && change.useDeadline !== undefined) {
    lines.push(...fact('use until', timeText(change.useDeadline)))
  }
  const decisions = decisionLines(change, style)
  return [
    ...reviewLines(reviewed, style, change.state),
    ...lines,
    ...(decisions.length === 0 ? [] : ['', 'Decisions', ...decisions]),
    ...explanationSection(found, style, nowMs),
  ]
}

function explanationSection(found: OpenChange, style: Style, nowMs: number): string[] {
  const { change, moved } = found
  const lines = explanationLines(change, { style, nowMs })
  if (moved.length > 0) {
    lines.push(`written on an older base: ${moved.map(escapeLine).join(', ')} moved since`)
  }
  const { mayWithdraw } = change.explanation
  if ((change.state === 'OPEN' || change.state === 'APPROVED') && mayWithdraw.length > 0) {
    lines.push(style.dim(`may withdraw: ${mayWithdraw.map(escapeLine).join(', ')}`))
  }
  return lines.length === 0 ? [] : ['', ...lines]
}
