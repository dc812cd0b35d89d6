import t from 'tap'
import type { Command } from '../../src/machine/index.js'
import { ProposedCommands } from '../../src/node/proposed-commands.js'
import { payloadType } from '../../src/signing/index.js'
import { encodeCommand } from '../../src/wire/index.js'

const command: Command = {
  kind: 'submit',
  envelope: {
    type: payloadType('ack'),
    body: Uint8Array.of(1, 2, 3),
    signature: new Uint8Array(64).fill(4),
    keyId: 'ab'.repeat(32),
  },
  detached: [Uint8Array.of(5)],
}

await t.test('what was proposed here is given back as it is, once', (t) => {
  const proposed = new ProposedCommands()
  const payload = proposed.encode(command)
  t.strictSame(payload, encodeCommand(command))
  t.equal(proposed.take(payload), command)
  const again = proposed.take(payload)
  t.not(again, command)
  t.strictSame(again, command)
  t.end()
})

await t.test('the same bytes from elsewhere are decoded, and say the same', (t) => {
  const proposed = new ProposedCommands()
  const payload = new Uint8Array(proposed.encode(command))
  const decoded = proposed.take(payload)
  t.not(decoded, command)
  t.strictSame(decoded, command)
  t.end()
})
