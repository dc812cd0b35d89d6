export { createPeers, type GrpcPeers } from './peers.js'
export type { AcceptorCounters } from './acceptor.js'
export { certificateName } from './hello.js'
export type { KnownPeer, PeersOptions, TransportLog, TransportTiming } from './options.js'
