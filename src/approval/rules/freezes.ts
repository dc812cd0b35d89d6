import { globTakes, namesOf, parsedGlobs } from '../forms/glob.js'
import type { ChangeKind, Freeze, Ms, RuleKind } from '../types.js'
import type { ChangeScope } from './effective.js'

/**
 * Whether the freeze stops the change at log time `at`. A freeze begins at `from` and has ended at
 * `until`. Changes of kind `freeze` are never stopped: somebody must be able to lift one.
 */
export function isFrozenBy(freeze: Freeze, change: ChangeScope, at: Ms): boolean {
  if (change.kind === 'freeze' || at < freeze.from || at >= freeze.until) return false
  if (!(freeze.stops ?? ['ordinary']).includes(ruleKindFor(change.kind))) return false
  const globs = parsedGlobs(freeze.paths)
  return change.paths.some((path) => {
    const names = namesOf(path)
    return globs.some((glob) => globTakes(glob, names))
  })
}

function ruleKindFor(kind: ChangeKind): RuleKind {
  return kind === 'rollback' || kind === 'emergency' ? kind : 'ordinary'
}
