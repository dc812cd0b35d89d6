import type { Command } from 'commander'
import { composeAck, sign } from '../../client/index.js'
import type { OpenSession } from '../command-module.js'

export function define(command: Command, open: OpenSession): void {
  command
    .addHelpText(
      'after',
      '\nA newly registered key can do nothing until it has acknowledged the log that it joins.',
    )
    .action(async () => {
      const session = open()
      const { person, signer } = await session.signer()
      const { clusterId } = await session.cluster()
      const client = await session.client()
      const message = sign(composeAck({ clusterId, person, keyId: signer.keyId }), signer)
      const result = await client.acknowledge(message)
      session.output.result(
        {
          person,
          keyId: signer.keyId,
          index: result.index,
          repeated: result.repeated,
        },
        () => [
          `key ${signer.keyId.slice(0, 16)}... of ${person} is in use from index ${String(result.index)}`,
        ],
      )
    })
}
