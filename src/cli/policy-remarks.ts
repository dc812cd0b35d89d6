/** Fields of a policy that are decoded and kept, but do nothing yet at feature level 1. */
import type { PolicyDocument, Rule } from '../approval/index.js'

export interface PolicyRemark {
  readonly rule: string
  readonly field: string
  readonly message: string
}

export function idleFields(policy: PolicyDocument): PolicyRemark[] {
  return policy.rules.flatMap((rule) =>
    remarksOn(rule).map(([field, message]) => ({ rule: rule.id, field, message })),
  )
}

function remarksOn(rule: Rule): [string, string][] {
  const found: [string, string][] = []
  if (rule.kind === 'emergency') {
    found.push([
      'kind',
      'emergency changes come with a later feature level; the rule judges nothing yet',
    ])
  }
  if (rule.kind === 'rollback') {
    found.push([
      'kind',
      'rollback changes come with a later feature level; the rule judges nothing yet',
    ])
  }
  if (rule.risk !== undefined) {
    found.push([
      'risk',
      'no analyser reports yet: every change waits for riskTimeout and then needs the top tier',
    ])
  }
  if (rule.bake?.watch !== undefined) {
    found.push(['bake.watch', 'signals are not looked up yet; the bake itself holds'])
  }
  if (rule.rollback?.plan === 'inverse') {
    found.push([
      'rollback',
      'no rollback grant is written yet: nothing takes a change back by itself',
    ])
  }
  return found
}
