import type { Command } from 'commander'
import { nextRevisionOf, sign } from '../../client/index.js'
import { addChangeOptions, readRequest, type ChangeOptions } from '../change-options.js'
import { mergeRequests } from '../change-request.js'
import type { OpenSession } from '../command-module.js'
import { CountersignError } from '../../errors.js'
import { composeChange } from '../compose-change.js'
import { openChange } from '../open-change.js'
import { requestOf } from '../request-of-revision.js'
import { reportSubmitted } from '../report-submitted.js'
import { reviewBeforeSigning } from '../review-before-signing.js'

export function define(command: Command, open: OpenSession): void {
  addChangeOptions(command.argument('<change>', 'its id, or the beginning of it'))
    .option('--auto', 'activate by itself, where the revision before waited for `activate`')
    .addHelpText('after', remarks)
    .action(async (text: string, options: ChangeOptions & { readonly auto?: true }) => {
      const session = open()
      const { person, signer } = await session.signer()
      const { clusterId } = await session.cluster()
      const client = await session.client()
      const { change, opened } = await openChange(session, client, text, { asker: person })
      if (change.state !== 'OPEN' && change.state !== 'APPROVED') {
        throw new CountersignError('NOT_OPEN', `The change is ${change.state}.`, {
          details: {
            changeId: change.changeId,
            next: `Propose it anew on the current base: countersign propose --like ${change.changeId.slice(0, 8)}`,
          },
        })
      }
      const wanted = await readRequest(options, session)
      const before = requestOf(opened, wanted.ops.length > 0)
      const merged = mergeRequests(before, wanted)
      const author = { clusterId, person, keyId: signer.keyId }
      const { message, reviewed } = await composeChange(
        client,
        options.auto === true ? { ...merged, activate: 'auto' } : merged,
        author,
        nextRevisionOf(change, { clusterId }),
      )
      await reviewBeforeSigning(session, reviewed, 'Sign this as the next revision?')
      const result = await client.propose(sign(message, signer))
      await reportSubmitted(session, client, result, reviewed.contentDigest)
    })
}

const remarks = `
Without --set, --delete or --file the operations stay, on the base as it is now. With any of them
they are replaced as a whole. Title, reason, schedule and the rest stay unless they are given.
Approvals of the revision before do not carry over.`
