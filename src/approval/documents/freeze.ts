import { glob } from '../forms/glob.js'
import {
  integer,
  invalid,
  itself,
  object,
  oneOf,
  optional,
  required,
  setOf,
  uniqueListOf,
} from '../forms/shape.js'
import { text } from '../forms/text.js'
import { limits } from '../limits.js'
import type { Freeze } from '../types.js'

/** Paths and a time in which nothing ordinary is activated, at `/sys/freezes/<id>`. */
export const freeze = object<Freeze>(
  {
    paths: required(uniqueListOf(glob, itself, { min: 1, max: limits.freezeGlobsMax })),
    from: required(integer()),
    until: required(integer()),
    stops: optional(setOf(oneOf('ordinary', 'rollback', 'emergency'), itself, { min: 1, max: 3 })),
    reason: required(text(limits.freezeReasonBytesMax, { min: 1 })),
  },
  (one, at) => (one.from < one.until ? null : invalid(at, 'must have from before until')),
)
