/** All nemeses by name, in the order in which they run when none is named. */
import type { Nemesis } from '../nemesis.js'
import { clockJump } from './clocks.js'
import { byteFlip } from './damage.js'
import { diskFull } from './disks.js'
import { membership } from './membership.js'
import { bridge, oneWay, partition, slowLink } from './network.js'
import { powerCut } from './power.js'
import { freeze, kill, killAll, rollingRestart } from './processes.js'
import { mixedVersion } from './versions.js'

const all: readonly Nemesis[] = [
  ...[kill, killAll, powerCut, freeze, rollingRestart],
  ...[partition, oneWay, bridge, slowLink],
  ...[clockJump, diskFull, byteFlip, membership, mixedVersion],
]

export const nemesisNames = all.map(({ name }) => name)
export const nemeses: ReadonlyMap<string, Nemesis> = new Map(all.map((each) => [each.name, each]))
