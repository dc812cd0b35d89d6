/** etcd as a {@link System}: plain puts without TLS, the cheapest way that etcd has. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { startEtcd, type EtcdMember } from './etcd-process.js'
import type { Member, System } from './system.js'

/** From dist/test/bench/peer/ to the source: the compiler copies no .proto. */
const protoFile = fileURLToPath(new URL('../../../../test/bench/peer/etcd.proto', import.meta.url))

interface Answer {
  readonly leader?: string
  readonly header?: { readonly member_id?: string }
  readonly created?: boolean
  readonly events?: readonly { readonly kv: { readonly key: Buffer } }[]
}
type Unary = (
  request: object,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer: Answer) => void,
) => void
type Stub = grpc.Client & Readonly<Record<string, Unary>>
type StubType = new (address: string, credentials: grpc.ChannelCredentials) => Stub

interface Api {
  readonly etcdserverpb: {
    readonly KV: StubType
    readonly Watch: StubType
    readonly Maintenance: StubType
  }
}

const callDeadlineMs = 30_000
const attemptMs = 500

export async function startEtcdSystem(valueBytes: number): Promise<System> {
  const processes = await startEtcd()
  return new EtcdSystem(processes, valueBytes)
}

class EtcdSystem implements System {
  readonly name = 'etcd'
  readonly version: string
  readonly #processes: Awaited<ReturnType<typeof startEtcd>>
  readonly #valueBytes: number
  readonly #api: Api['etcdserverpb']
  readonly #kv = new Map<string, Stub>()
  #leaderId = ''

  constructor(processes: Awaited<ReturnType<typeof startEtcd>>, valueBytes: number) {
    this.#processes = processes
    this.#valueBytes = valueBytes
    this.version = processes.version
    const definition = loadSync(protoFile, { keepCase: true, longs: String })
    this.#api = (grpc.loadPackageDefinition(definition) as unknown as Api).etcdserverpb
    for (const { id, address } of processes.members) {
      this.#kv.set(id, new this.#api.KV(address, grpc.credentials.createInsecure()))
    }
  }

  members(): readonly Member[] {
    return this.#processes.members.map((member) => ({
      id: member.id,
      pid: member.pid,
      directory: member.directory,
      kill: async () => {
        member.signal('SIGKILL')
        await member.exited()
      },
      freeze: () => {
        member.signal('SIGSTOP')
      },
      thaw: () => {
        member.signal('SIGCONT')
      },
      start: () => {
        member.start()
      },
      ready: () => this.#ready(member),
    }))
  }

  async leader(): Promise<Member> {
    for (;;) {
      for (const member of this.#processes.members) {
        const answer = await this.#status(member).catch(() => null)
        if (answer === null || answer.leader !== answer.header?.member_id) continue
        this.#leaderId = member.id
        const found = this.members().find(({ id }) => id === member.id)
        if (found !== undefined) return found
      }
      await delay(10)
    }
  }

  commands(count: number, lanes: number): readonly (readonly (() => Promise<unknown>)[])[] {
    const each = Math.max(1, Math.ceil(count / lanes))
    return Array.from({ length: lanes }, () =>
      Array.from({ length: each }, () => {
        const request = this.#freshPut()
        return () => this.#put(request)
      }),
    )
  }

  streamed(): null {
    return null
  }

  read(): Promise<unknown> {
    return call(this.#stub(this.#leaderId), 'Range', { key: readKey })
  }

  async watched(count: number): Promise<readonly number[]> {
    const times: number[] = []
    const { address } = await this.#leaderProcess()
    const watch = new this.#api.Watch(address, grpc.credentials.createInsecure())
    const open = watch['Watch'] as unknown as () => grpc.ClientDuplexStream<object, Answer>
    const stream = open.call(watch)
    let created: () => void = () => undefined
    let arrived: () => void = () => undefined
    stream.on('data', (answer: Answer) => {
      if (answer.created === true) created()
      if ((answer.events?.length ?? 0) > 0) arrived()
    })
    stream.on('error', () => undefined)
    await new Promise<void>((resolve) => {
      created = resolve
      stream.write({ create_request: { key: Buffer.from('w'), range_end: Buffer.from('x') } })
    })
    for (let n = 0; n < count; n += 1) {
      const key = Buffer.from(`w${String(n)}`)
      const begin = performance.now()
      const seen = new Promise<void>((resolve) => (arrived = resolve))
      await this.#put({ key, value: randomBytes(this.#valueBytes) })
      await seen
      times.push(performance.now() - begin)
    }
    stream.cancel()
    watch.close()
    return times
  }

  /** Every live member in turn, as a client with all addresses does; a dead one refuses at once. */
  async writeThrough(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs
    const request = this.#freshPut()
    while (performance.now() < until) {
      const attempts = this.#processes.members
        .filter(({ id }) => id !== this.#leaderId)
        .map(({ id }) => call(this.#stub(id), 'Put', request, attemptMs))
      try {
        await Promise.any(attempts)
        return
      } catch {
        await delay(5)
      }
    }
    throw new Error(`no member of etcd took a write within ${String(deadlineMs)} ms`)
  }

  async stop(): Promise<void> {
    for (const stub of this.#kv.values()) stub.close()
    await this.#processes.remove()
  }

  #freshPut(): { readonly key: Buffer; readonly value: Buffer } {
    return {
      key: Buffer.from(randomBytes(8).toString('hex')),
      value: randomBytes(this.#valueBytes),
    }
  }

  #put(request: object): Promise<unknown> {
    return call(this.#stub(this.#leaderId), 'Put', request)
  }

  #stub(id: string): Stub {
    const stub = this.#kv.get(id)
    if (stub === undefined) throw new Error(`etcd has no member ${id}`)
    return stub
  }

  async #leaderProcess(): Promise<EtcdMember> {
    const { id } = await this.leader()
    const member = this.#processes.members.find((each) => each.id === id)
    if (member === undefined) throw new Error('the leader of etcd is no member')
    return member
  }

  async #status(member: EtcdMember): Promise<Answer> {
    const stub = new this.#api.Maintenance(member.address, grpc.credentials.createInsecure())
    try {
      return await call(stub, 'Status', {}, attemptMs)
    } finally {
      stub.close()
    }
  }

  async #ready(member: EtcdMember): Promise<void> {
    for (;;) {
      const stub = new this.#api.KV(member.address, grpc.credentials.createInsecure())
      const answered = await call(stub, 'Range', { key: readKey }, attemptMs).catch(() => null)
      stub.close()
      if (answered !== null) return
      await delay(10)
    }
  }
}

const readKey = Buffer.from('read')

function call(
  stub: Stub,
  method: 'Put' | 'Range' | 'Status',
  request: object,
  deadlineMs = callDeadlineMs,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const invoke = stub[method]
    if (invoke === undefined) throw new Error(`etcd has no method ${method}`)
    invoke.call(stub, request, { deadline: Date.now() + deadlineMs }, (error, answer) => {
      if (error === null) resolve(answer)
      else reject(error)
    })
  })
}
