import type { Genesis, Hex32, Ms } from '../approval/index.js'
import { durationMs, limits } from '../approval/index.js'

/** What genesis fixes for ever, in the units that apply uses. */
export interface Law {
  readonly clusterId: Hex32
  readonly genesis: Genesis
  readonly coolOffMs: number
  readonly riskTimeoutMs: number
  readonly lifeMaxMs: number
}

/** How far ahead of log time a `notAfter` may lie. */
export const notAfterAheadMs: Ms = limits.notAfterAheadMs

export function lawOf(genesis: Genesis, clusterId: Hex32): Law {
  return {
    clusterId,
    genesis,
    coolOffMs: durationMs(genesis.coolOff),
    riskTimeoutMs: durationMs(genesis.riskTimeout),
    lifeMaxMs: durationMs(genesis.lifeMax),
  }
}
