/**
 * docker-compose.yml without Docker: its commands, run as processes on this machine. Volumes become
 * folders, the services' names become loopback addresses, and nothing else is changed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { parse } from 'yaml'
import { loopbackHosts } from '../../cluster/loopback.js'
import { readRepositoryFile, repositoryRoot } from '../house/repository.js'

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly volumes: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const compose = parse(readRepositoryFile('docker-compose.yml'), { merge: true }) as Compose
const dockerfile = readRepositoryFile('cluster/Dockerfile')
const volumeRoot = '/var/lib/countersign'
const nodeNames = Object.keys(compose.services).filter((name) => /^node-\d$/.test(name))

const entryPoint = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]

function serviceOf(name: string): Service {
  const service = compose.services[name]
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
  return service
}

await t.test('the file says what the design asks for', async (t) => {
  t.same(nodeNames, ['node-1', 'node-2', 'node-3'])
  for (const name of nodeNames) {
    const { depends_on, volumes, healthcheck } = serviceOf(name)
    t.equal(depends_on?.['init']?.condition, 'service_completed_successfully', `${name} waits`)
    t.equal(healthcheck?.test[0], 'CMD', `${name} has a health check`)
    t.same(volumes, [`${name}:${volumeRoot}/${name}`], `${name} has its own volume and no other`)
  }
  const mounted = serviceOf('init').volumes.map((volume) => volume.split(':')[0])
  t.same(mounted, Object.keys(compose.volumes), 'init writes every volume')
  const published = nodeNames.flatMap((name) => serviceOf(name).ports ?? [])
  t.equal(new Set(published.map((port) => port.split(':')[1])).size, 6, 'no port is taken twice')
  t.ok(
    published.every((port) => port.startsWith('127.0.0.1:')),
    'nothing is open to the network',
  )
})

await t.test('the image holds what a node needs, and runs as an ordinary user', async (t) => {
  t.match(dockerfile, /^USER node$/m)
  t.match(dockerfile, /^COPY --from=build \/app\/proto proto$/m)
  for (const name of nodeNames) t.match(dockerfile, `countersign/${name}`, `${name}'s folder`)
  const ignored = readRepositoryFile('.dockerignore')
  for (const [, sources = ''] of dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)) {
    for (const source of sources.split(' ')) {
      t.ok(existsSync(path.join(repositoryRoot, source)), `${source} exists`)
      t.ok(ignored.split('\n').includes(`!${source}`), `${source} is in the build context`)
    }
  }
})

await t.test('init, the three nodes and their health checks run', async (t) => {
  const folder = t.testdir({ operator: {}, 'node-1': {}, 'node-2': {}, 'node-3': {} })
  const hosts = new Map(loopbackHosts(3).map((host, n) => [`node-${n + 1}`, host]))

  /** Container paths and names as they are on this machine; every node listens on its own address. */
  const mapped = (words: readonly string[]) =>
    words
      .filter((word) => word !== '--listen=0.0.0.0')
      .map((word) =>
        word
          .replace(volumeRoot, folder)
          .replace(/^(--node=(node-\d)=)node-\d:/, (_, head: string, id: string) => {
            return `${head}${hosts.get(id) ?? ''}:`
          }),
      )
  const commandOf = (name: string) => mapped([...entryPoint, ...(serviceOf(name).command ?? [])])
  const runOf = ([program = '', ...parameters]: readonly string[]) =>
    [program === 'node' ? process.execPath : program, parameters] as const

  const init = () => {
    const [program, parameters] = runOf(commandOf('init'))
    return spawnSync(program, parameters, { cwd: repositoryRoot, encoding: 'utf8' })
  }
  const made = init()
  if (!t.equal(made.status, 0, 'init succeeds')) t.comment(made.stderr)
  const key = path.join(folder, 'operator/cluster/people/alice.key.pem')
  t.equal(statSync(key).mode & 0o777, 0o600, "people's keys are in the operator's volume")
  const genesis = readFileSync(path.join(folder, 'node-1/node/genesis.json'), 'utf8')

  const again = init()
  t.equal(again.status, 0, 'init succeeds when everything is there')
  t.equal(readFileSync(path.join(folder, 'node-1/node/genesis.json'), 'utf8'), genesis)

  const nodes = nodeNames.map((name) => {
    const [program, parameters] = runOf(commandOf(name))
    const log = openSync(path.join(folder, `${name}.log`), 'a')
    const child = spawn(program, parameters, { cwd: repositoryRoot, stdio: ['ignore', log, log] })
    closeSync(log)
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { name, child, ended }
  })
  t.teardown(() => {
    for (const { child } of nodes) child.kill('SIGKILL')
  })

  const healthy = (name: string) => {
    const words = (serviceOf(name).healthcheck?.test ?? []).slice(1)
    const here = words.map((word) => word.replace('127.0.0.1', hosts.get(name) ?? ''))
    const [program, parameters] = runOf(here)
    const check = spawnSync(program, parameters, { cwd: repositoryRoot, encoding: 'utf8' })
    return check.status === 0
  }
  const isServing = (name: string) =>
    fetch(`http://${hosts.get(name) ?? ''}:7300/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
  for (const { name, child } of nodes) {
    // Each health check is a process: begun over and over, they would only slow the nodes down.
    while (!(await isServing(name)) && child.exitCode === null) await delay(50)
    while (!healthy(name) && child.exitCode === null) await delay(100)
    const log = readFileSync(path.join(folder, `${name}.log`), 'utf8')
    if (!t.equal(child.exitCode, null, `${name} is healthy and runs`)) t.comment(log.slice(-1000))
  }

  for (const { child } of nodes) child.kill('SIGTERM')
  for (const { name, ended } of nodes) t.equal(await ended, 0, `${name} stops cleanly`)
  t.notOk(healthy('node-1'), 'the health check of a stopped node fails')
})
