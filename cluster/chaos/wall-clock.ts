/**
 * Loaded into a node before its own code (`node --import`): shifts the wall clock of that process
 * by what a file says, while it runs. The monotonic clock stays, as it does when an operator or NTP
 * sets the time. What does not ask JavaScript for the time, such as the validity of certificates,
 * is not moved.
 */
import { readFileSync } from 'node:fs'

/** Name of the variable that names the folder with one file of ms for each node. */
const folderVariable = 'CHAOS_CLOCKS'
const pollMs = 50

const folder = process.env[folderVariable]
const nodeId = /([^/]+)\/node\.json$/.exec(process.argv.at(-1) ?? '')?.[1]
let shiftMs = 0

if (folder !== undefined && nodeId !== undefined) {
  const look = () => {
    try {
      shiftMs = Number(readFileSync(`${folder}/${nodeId}`, 'utf8')) || 0
    } catch {
      // Nobody has touched this node's clock yet.
      shiftMs = 0
    }
  }
  look()
  setInterval(look, pollMs).unref()
  const RealDate = Date
  const shifted = class extends RealDate {
    constructor(...parameters: unknown[]) {
      if (parameters.length === 0) super(RealDate.now() + shiftMs)
      else super(...(parameters as [number]))
    }
    static override now(): number {
      return RealDate.now() + shiftMs
    }
  }
  globalThis.Date = shifted as DateConstructor
}
