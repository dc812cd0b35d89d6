import type { World } from '../world/world.js'

export interface Finding {
  readonly holds: boolean
  /** What is so instead; read when it does not hold. */
  readonly found: string
}

export type Fact = (world: World) => Finding
