import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { PeersOptions } from '../../src/transport/index.js'
import { repositoryRoot } from '../house/repository.js'
import { at, group, patient, startPeers } from './nodes.js'

/** A real process that runs one peer; the build compiled it. */
function startChild(t: Test, options: PeersOptions): ChildProcess {
  const script = path.join(repositoryRoot, 'dist/test/transport/child-peer.js')
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.stdin.end(JSON.stringify(options))
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

await t.test('the death of a process is told as refused, by itself, again and again', async (t) => {
  const [first, second] = await group(2)
  const a = await startPeers(t, at([first], 0) as PeersOptions)
  const child = startChild(t, second as PeersOptions)
  await a.seen.until(() => a.seen.hellos.has('node-2'))
  const before = a.seen.happened.length
  child.kill('SIGKILL')
  const killedAt = performance.now()
  await a.seen.until(() => a.seen.happened.length >= before + 2)
  t.comment(`told after ${(performance.now() - killedAt).toFixed(1)} ms`)
  await a.seen.until(() => a.seen.happened.length >= before + 3)
  t.strictSame(a.seen.happened.slice(before, before + 3), [
    'disconnected node-2',
    'refused node-2',
    'refused node-2',
  ])

  startChild(t, second as PeersOptions)
  await a.seen.until(() => a.seen.count('connected node-2') === 2)
  t.equal(a.peers.links()[0]?.connected, true)
})

await t.test('a process that is only frozen refuses nothing', async (t) => {
  const [first, second] = await group(2)
  const a = await startPeers(t, {
    ...(first as PeersOptions),
    timing: { ...patient, keepaliveMs: 1000 },
  })
  const child = startChild(t, second as PeersOptions)
  await a.seen.until(() => a.seen.hellos.has('node-2'))
  const before = a.seen.happened.length
  const connections = a.seen.count('connected node-2')
  child.kill('SIGSTOP')
  await a.seen.until(() => a.seen.happened.length > before)
  t.strictSame(a.seen.happened.slice(before), ['disconnected node-2'], 'by the lack of an answer')
  child.kill('SIGCONT')
  await a.seen.until(() => a.seen.count('connected node-2') > connections)
  t.equal(a.seen.happened.slice(before).includes('refused node-2'), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
})
