/** A change as its raw bytes say, beside what stands now: the base of every decision. */
import { diffOps, openRevision, readCurrent, type CountersignClient } from '../client/index.js'
import type { OpenedRevision } from '../client/index.js'
import type { ChangeView } from '../machine/index.js'
import { findChangeId } from './find-change.js'
import type { Reviewed } from './present/review.js'
import type { Session } from './session.js'

export interface OpenChange {
  readonly change: ChangeView
  readonly opened: OpenedRevision
  readonly reviewed: Reviewed
  /** Paths that moved since the revision was written; none when closed: it moved them itself. */
  readonly moved: readonly string[]
  readonly revision: number
}

export async function openChange(
  session: Session,
  client: CountersignClient,
  text: string,
  options: { readonly asker?: string; readonly revision?: number; readonly local?: boolean } = {},
): Promise<OpenChange> {
  const { clusterId } = await session.cluster()
  const changeId = await findChangeId(client, text)
  const read = { local: options.local === true }
  const { value: change, revision } = await client.getChange(changeId, {
    ...read,
    ...(options.asker === undefined ? {} : { asker: options.asker }),
  })
  const opened = openRevision(change, {
    clusterId,
    ...(options.revision === undefined ? {} : { revision: options.revision }),
  })
  const { body } = opened
  const current = await readCurrent(
    client,
    body.ops.map((op) => op.path),
    read,
  )
  const isOpen = change.state === 'OPEN' || change.state === 'APPROVED'
  const now = new Map(current.base.map((item) => [item.path, item.modRevision]))
  return {
    change,
    opened,
    revision,
    reviewed: {
      body,
      contentDigest: opened.contentDigest,
      diff: diffOps({ ops: body.ops, values: opened.values }, current),
      missing: opened.missing,
      ...(opened.rationale === undefined ? {} : { rationale: opened.rationale }),
    },
    moved: body.base.flatMap(({ path, modRevision }) =>
      !isOpen || now.get(path) === modRevision ? [] : [path],
    ),
  }
}
