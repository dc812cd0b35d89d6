import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { openChange } from '../open-change.js'
import { countOption } from '../parse-count.js'
import { changeLines } from '../present/diff.js'
import { plainJson } from '../present/plain-json.js'
import { shortCode } from '../../signing/index.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<change>', 'its id, or the beginning of it')
    .option('--revision <number>', 'an earlier revision of the change', countOption)
    .addHelpText(
      'after',
      '\nThe difference is against what stands now; of a closed change, what it wrote or would have written.',
    )
    .action(async (text: string, options: { readonly revision?: number }) => {
      const session = open()
      const { output } = session
      const found = await openChange(session, await session.client(), text, options)
      const { reviewed, change, moved, revision } = found
      const isOpen = change.state === 'OPEN' || change.state === 'APPROVED'
      // Whatever became of the change, a revision before its last one was never written.
      const isPassed = !isOpen && reviewed.body.revision < change.revision
      output.result(
        {
          changeId: change.changeId,
          changeRevision: reviewed.body.revision,
          state: change.state,
          contentDigest: reviewed.contentDigest,
          shortCode: shortCode(reviewed.contentDigest),
          diff: plainJson(reviewed.diff),
          moved,
          revision,
        },
        () => [
          ...changeLines(reviewed.diff, output.style, isPassed ? 'SUPERSEDED' : change.state),
          output.style.dim(`short code ${shortCode(reviewed.contentDigest)}`),
        ],
      )
      if (moved.length > 0) {
        output.warn(`written on an older base: ${moved.join(', ')} moved since`)
      }
    })
}
