import { hostPort, type NodePlace } from './places.js'

/**
 * A node's own configuration, as config/ reads it. Paths are relative to the file, so that the
 * folder may be moved as a whole. What has a good default is left out.
 */
export function nodeFile(place: NodePlace, listen: string | undefined): object {
  const bind = listen ?? place.host
  return {
    nodeId: place.id,
    dataDirectory: 'data',
    genesisFile: 'genesis.json',
    tls: {
      caFile: 'ca.pem',
      certificateFile: 'certificate.pem',
      keyFile: 'certificate.key.pem',
    },
    nodeKeyFile: 'node.key.pem',
    listen: {
      peer: hostPort(bind, place.peerPort),
      client: hostPort(bind, place.clientPort),
      status: hostPort(bind, place.statusPort),
    },
    advertise: { client: hostPort(place.host, place.clientPort) },
  }
}
