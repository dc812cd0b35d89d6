import type { Command } from 'commander'
import { sign, type SignedMessage } from '../../client/index.js'
import { addChangeOptions, readRequest, type ChangeOptions } from '../change-options.js'
import type { OpenSession } from '../command-module.js'
import { composeChange } from '../compose-change.js'
import { escapeLine } from '../escape.js'
import { plainJson } from '../present/plain-json.js'
import { reviewLines } from '../present/review.js'
import { shortCode } from '../../signing/index.js'

export function define(command: Command, open: OpenSession): void {
  addChangeOptions(command).action(async (options: ChangeOptions) => {
    const session = open()
    const { output } = session
    const { person, signer } = await session.signer()
    const { clusterId } = await session.cluster()
    const client = await session.client()
    const request = await readRequest(options, session)
    const author = { clusterId, person, keyId: signer.keyId }
    const { message, reviewed } = await composeChange(client, request, author)
    // A preview is checked like the real thing, so it is signed; the nodes do not keep it.
    const signed: SignedMessage = sign(message, signer)
    const { value: preview, revision } = await client.preview(signed)
    output.result(
      {
        verdict: preview.result.kind,
        ...(preview.result.kind === 'refused' ? { refusal: preview.result.refusal } : {}),
        contentDigest: reviewed.contentDigest,
        shortCode: shortCode(reviewed.contentDigest),
        diff: plainJson(reviewed.diff),
        rules: plainJson(preview.rules),
        rulesDigest: preview.rulesDigest,
        ...(preview.explanation === undefined
          ? {}
          : { explanation: plainJson(preview.explanation) }),
        transitions: plainJson(preview.events.filter((event) => event.kind === 'stateChanged')),
        revision,
      },
      () => {
        const { style } = output
        const lines = [...reviewLines(reviewed, style), '']
        if (preview.result.kind === 'refused') {
          const { code, message: why } = preview.result.refusal
          lines.push(`${style.red('would be refused')}: ${escapeLine(code)}: ${escapeLine(why)}`)
        } else {
          lines.push(style.green('would be accepted'))
        }
        for (const { policy, rule } of preview.rules) {
          const need = (rule.need ?? []).map(({ count, group }) => `${String(count)} of ${group}`)
          lines.push(
            `  rule ${policy}/${rule.id}: ${need.length === 0 ? 'no seats' : need.join(', ')}`,
          )
        }
        for (const event of preview.events) {
          if (event.kind !== 'stateChanged') continue
          lines.push(`  change ${event.changeId.slice(0, 8)} would go ${event.from} -> ${event.to}`)
        }
        return lines
      },
    )
  })
}
