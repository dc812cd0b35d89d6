import { text } from 'node:stream/consumers'
import { createPeers, type PeersOptions } from '../../src/transport/index.js'
import { Recorder } from './nodes.js'

const options = JSON.parse(await text(process.stdin)) as PeersOptions
await createPeers({ ...options, random: () => 0.5 }).start(new Recorder())
