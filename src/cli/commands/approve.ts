import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { defineDecision } from '../decide.js'

export function define(command: Command, open: OpenSession): void {
  defineDecision(command, open, 'approve', [
    '--comment <text>',
    'a remark that travels with the approval',
  ])
}
