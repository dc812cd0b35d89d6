/** What a person wants to change, gathered from options and files, before it meets the cluster. */
import type { Hex16, Ms, ProposeBody } from '../approval/index.js'
import type { ProposedOp } from '../client/index.js'

export interface ChangeRequest {
  readonly ops: readonly ProposedOp[]
  readonly title?: string
  /** The whole reason; its first line is the title when none is given. */
  readonly reason?: string
  /** Paths that were read; the revision is looked up when it is not given. */
  readonly asserts: readonly { readonly path: string; readonly modRevision?: number }[]
  readonly dependsOn: readonly Hex16[]
  readonly notBefore?: Ms
  readonly activate?: 'auto' | 'manual'
  readonly open?: string
  readonly use?: string
  readonly rollback?: ProposeBody['rollback']
  readonly sponsor?: string
  readonly provenance?: Partial<NonNullable<ProposeBody['provenance']>>
}

/** The second request's fields hold where both say something; ops and lists are joined. */
export function mergeRequests(first: ChangeRequest, second: ChangeRequest): ChangeRequest {
  const provenance = { ...first.provenance, ...second.provenance }
  return {
    ...first,
    ...second,
    ops: [...first.ops, ...second.ops],
    asserts: [...first.asserts, ...second.asserts],
    dependsOn: [...first.dependsOn, ...second.dependsOn],
    ...(Object.keys(provenance).length === 0 ? {} : { provenance }),
  }
}

/** At most 200 bytes of UTF-8, as a title may have, cut between words where that is possible. */
export function titleOf(request: Pick<ChangeRequest, 'title' | 'reason'>): string | undefined {
  if (request.title !== undefined) return request.title
  const line = request.reason
    ?.split('\n')
    .map((each) => each.trim())
    .find((each) => each !== '')
  if (line === undefined || Buffer.byteLength(line) <= titleBytesMax) return line
  let kept = ''
  for (const character of line) {
    if (Buffer.byteLength(`${kept}${character}…`) > titleBytesMax) break
    kept += character
  }
  return `${kept.replace(/\s+\S*$/, '')}…`
}

const titleBytesMax = 200
