import type { Command } from 'commander'
import type { Session } from './session.js'

/** Opens what a command needs; its options are read at that moment, so call it in the action. */
export type OpenSession = () => Session

/** What a file in commands/ exports: it adds arguments, options and the action to its command. */
export interface CommandModule {
  define(command: Command, open: OpenSession): void
}
