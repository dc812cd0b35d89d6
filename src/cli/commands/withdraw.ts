import type { Command } from 'commander'
import type { OpenSession } from '../command-module.js'
import { decide, type DecideOptions } from '../decide.js'

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<change>', 'its id, or the beginning of it')
    .option('--comment <text>', 'a remark that travels with it')
    .option('--code <short-code>', 'refuse unless the change has exactly this short code')
    .action(async (change: string, options: DecideOptions) => {
      await decide(open(), 'withdraw', change, options)
    })
}
