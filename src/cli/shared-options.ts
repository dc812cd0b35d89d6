/** The options that every command understands, before or after its name. */
import { Option, type Command } from 'commander'

export interface SharedOptions {
  readonly dir?: string
  readonly as?: string
  readonly key?: string
  readonly json?: true
  readonly address?: readonly string[]
  readonly timeout?: string
  readonly yes?: true
  readonly passphraseFile?: string
}

export function addSharedOptions(program: Command): void {
  program
    .addOption(
      new Option('--dir <dir>', 'cluster material; else $COUNTERSIGN_DIR, else ./.countersign'),
    )
    .addOption(new Option('--as <person>', 'who signs; else $COUNTERSIGN_AS'))
    .addOption(new Option('--key <file>', 'key file; else <dir>/people/<person>.key.pem'))
    .addOption(
      new Option('--passphrase-file <file>', 'passphrase of the key file; else it is asked'),
    )
    .addOption(
      new Option(
        '--address <host:port>',
        'client address of a node instead of those in the material; repeatable',
      ).argParser(gather),
    )
    .addOption(new Option('--timeout <time>', 'time for one call, e.g. 500ms, 10s').default('10s'))
    .addOption(new Option('-y, --yes', 'sign without asking'))
    .addOption(new Option('--json', 'one JSON line instead of text for people'))
}

/** For options that may be given several times. */
export function gather(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
