/** grpc.health.v1 and server reflection: what every gRPC tool knows. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Server } from '@grpc/grpc-js'
import protoLoader from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check'

const services = [
  'countersign.v1.Changes',
  'countersign.v1.Config',
  'countersign.v1.Cluster',
] as const

const protoFiles = ['changes', 'config', 'cluster'].map((name) => `countersign/v1/${name}.proto`)

/** How often readiness is looked at. */
const healthMs = 250

export interface Health {
  stop(): void
}

/** SERVING while the node is ready; the empty name is the server as a whole. */
export function addHealth(server: Server, isReady: () => boolean): Health {
  const health = new HealthImplementation()
  let told: boolean | null = null
  const tell = (ready: boolean): void => {
    if (ready === told) return
    told = ready
    for (const name of ['', ...services]) {
      health.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING')
    }
  }
  tell(isReady())
  health.addToServer(server)
  const timer = setInterval(() => {
    tell(isReady())
  }, healthMs).unref()
  return {
    stop: () => {
      clearInterval(timer)
      tell(false)
    },
  }
}

/** False when the proto files are not beside this build. */
export function addReflection(server: Server): boolean {
  const root = protoRoot()
  if (root === undefined) return false
  const definitions = protoLoader.loadSync([...protoFiles, healthProto], {
    includeDirs: [root],
    keepCase: true,
  })
  new ReflectionService(definitions).addToServer(server)
  return true
}

/** `proto/` of the package: two levels up from src/api, three from dist/src/api. */
function protoRoot(): string | undefined {
  const here = path.dirname(fileURLToPath(import.meta.url))
  return ['../../proto', '../../../proto']
    .map((relative) => path.resolve(here, relative))
    .find((root) => protoFiles.every((file) => existsSync(path.join(root, file))))
}
