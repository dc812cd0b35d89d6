import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { version } from '../version.js'

export function define(command: Command, open: OpenSession): void {
  command.action(() => {
    const { output } = open()
    const found = version()
    output.result({ version: found, node: process.version }, () => [`countersign ${found}`])
  })
}
