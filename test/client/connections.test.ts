import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { Connections } from '../../src/client/connections.js'

/** An address that says when it is dialled. */
async function listener(t: Test): Promise<{ address: string; dialled: Promise<unknown> }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()))
  })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  return { address: `127.0.0.1:${String(port)}`, dialled: once(server, 'connection') }
}

await t.test(
  'the others are dialled before anybody calls there, the lost one is not',
  async (t) => {
    const [lost, other, third] = [await listener(t), await listener(t), await listener(t)]
    const connections = new Connections({ plaintext: true })
    t.teardown(() => {
      connections.close()
    })
    let isLostDialled = false
    void lost.dialled.then(() => {
      isLostDialled = true
    })
    connections.warmOthers([lost.address, other.address, third.address], lost.address)
    await Promise.all([other.dialled, third.dialled])
    t.equal(isLostDialled, false)
  },
)

await t.test('an address that may not be dialled hinders nobody', async (t) => {
  const other = await listener(t)
  const connections = new Connections({ plaintext: true })
  t.teardown(() => {
    connections.close()
  })
  connections.warmOthers(['10.0.0.1:7200', other.address], '127.0.0.1:1')
  await other.dialled
  t.throws(() => connections.to('10.0.0.1:7200'), { code: 'INPUT_INVALID' })
  connections.close()
  t.doesNotThrow(() => {
    connections.warmOthers([other.address], '127.0.0.1:1')
  }, 'nor does a client that was closed')
})
