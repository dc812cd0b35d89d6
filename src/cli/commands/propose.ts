import type { Command } from 'commander'
import { sign, type CountersignClient } from '../../client/index.js'
import { addChangeOptions, readRequest, type ChangeOptions } from '../change-options.js'
import { mergeRequests, type ChangeRequest } from '../change-request.js'
import { openChange } from '../open-change.js'
import { requestOf } from '../request-of-revision.js'
import type { Session } from '../session.js'
import type { OpenSession } from '../command-module.js'
import { composeChange } from '../compose-change.js'
import { reviewBeforeSigning } from '../review-before-signing.js'
import { reportSubmitted } from '../report-submitted.js'

export function define(command: Command, open: OpenSession): void {
  addChangeOptions(command)
    .option('--like <change>', 'start from an earlier change, on the current base')
    .addHelpText('after', examples)
    .action(async (options: ChangeOptions & { readonly like?: string }) => {
      const session = open()
      const { person, signer } = await session.signer()
      const { clusterId } = await session.cluster()
      const client = await session.client()
      const wanted = await readRequest(options, session)
      const request =
        options.like === undefined
          ? wanted
          : mergeRequests(await requestLike(session, client, options.like, wanted), wanted)
      const author = { clusterId, person, keyId: signer.keyId }
      const { message, reviewed } = await composeChange(client, request, author)
      await reviewBeforeSigning(session, reviewed, 'Sign and propose this?')
      const result = await client.propose(sign(message, signer))
      await reportSubmitted(session, client, result, reviewed.contentDigest)
    })
}

/** Everything that an earlier change said, unless it is said anew. */
async function requestLike(
  session: Session,
  client: CountersignClient,
  text: string,
  wanted: ChangeRequest,
): Promise<ChangeRequest> {
  const { opened } = await openChange(session, client, text)
  return requestOf(opened, wanted.ops.length > 0)
}

const examples = `
Examples:
  countersign propose --as alice --set /prod/payments/timeout_ms=2500 --title "Raise the timeout"
  countersign propose --as alice --file change.yaml --yes
  countersign propose --as alice --set-file /sys/policies/prod=prod.yaml --reason "Stricter rules"`
