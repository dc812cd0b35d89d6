/** etcd as a {@link System}: plain puts without TLS, the cheapest way that etcd has. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { startEtcd, type EtcdMember } from './etcd-process.js'
import type { Attempt, Lane, Member, System } from './system.js'

/** From dist/test/bench/peer/ to the source: the compiler copies no .proto. */
const protoFile = fileURLToPath(new URL('../../../../test/bench/peer/etcd.proto', import.meta.url))

interface Answer {
  readonly leader?: string
  readonly header?: { readonly member_id?: string }
  readonly created?: boolean
  readonly events?: readonly { readonly kv: { readonly key: Buffer } }[]
  readonly kvs?: readonly object[]
}
type Unary = (
  request: object,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer: Answer) => void,
) => void
type Stub = grpc.Client & Readonly<Record<string, Unary>>
type StubType = new (
  address: string,
  credentials: grpc.ChannelCredentials,
  options?: grpc.ChannelOptions,
) => Stub

interface Api {
  readonly etcdserverpb: {
    readonly KV: StubType
    readonly Watch: StubType
    readonly Maintenance: StubType
  }
}

const callDeadlineMs = 30_000
/** Longer than any failover takes, so that an attempt that hangs is no failed one. */
const attemptMs = 5_000
const statusMs = 500

/** `commandBytes`: key and value together, as the request carries them. */
export async function startEtcdSystem(commandBytes: number): Promise<System> {
  const processes = await startEtcd()
  return new EtcdSystem(processes, commandBytes)
}

class EtcdSystem implements System {
  readonly name = 'etcd'
  readonly version: string
  readonly #processes: Awaited<ReturnType<typeof startEtcd>>
  readonly #commandBytes: number
  readonly #api: Api['etcdserverpb']
  readonly #kv = new Map<string, Stub>()
  #leaderId = ''

  constructor(processes: Awaited<ReturnType<typeof startEtcd>>, commandBytes: number) {
    this.#processes = processes
    this.#commandBytes = commandBytes
    this.version = processes.version
    const definition = loadSync(protoFile, { keepCase: true, longs: String })
    this.#api = (grpc.loadPackageDefinition(definition) as unknown as Api).etcdserverpb
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
        // Its old channel backs off, and would make a member that is back look gone.
        this.#forget(member.id)
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

  commands(count: number, lanes: number): readonly Lane[] {
    const each = Math.max(1, Math.ceil(count / lanes))
    return Array.from({ length: lanes }, () =>
      Array.from({ length: each }, () => {
        const request = this.#freshPut()
        return [() => this.#put(request)]
      }),
    )
  }

  streamed(): null {
    return null
  }

  async prepareRead(): Promise<void> {
    await this.#put({ key: readKey, value: randomBytes(this.#commandBytes) })
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
      await this.#put({ key, value: randomBytes(this.#commandBytes) })
      await seen
      times.push(performance.now() - begin)
    }
    stream.cancel()
    watch.close()
    return times
  }

  write(): Attempt {
    const request = this.#freshPut()
    return (id) => this.#attempt(id, 'Put', request)
  }

  async mark(): Promise<Attempt> {
    await this.leader()
    const request = this.#freshPut()
    await this.#put(request)
    return async (id) => {
      const { kvs = [] } = await this.#attempt(id, 'Range', {
        key: request.key,
        serializable: true,
      })
      if (kvs.length === 0) throw new Error(`${id} does not show the key yet`)
    }
  }

  async stop(): Promise<void> {
    for (const stub of this.#kv.values()) stub.close()
    await this.#processes.remove()
  }

  #freshPut(): { readonly key: Buffer; readonly value: Buffer } {
    const key = Buffer.from(randomBytes(8).toString('hex'))
    return { key, value: randomBytes(this.#commandBytes - key.length - framingBytes) }
  }

  #put(request: object): Promise<unknown> {
    return call(this.#stub(this.#leaderId), 'Put', request)
  }

  async #attempt(id: string, method: 'Put' | 'Range', request: object): Promise<Answer> {
    const stub = this.#stub(id)
    try {
      return await call(stub, method, request, attemptMs)
    } catch (thrown) {
      const isLost = (thrown as grpc.ServiceError).code === grpc.status.UNAVAILABLE
      if (isLost && this.#kv.get(id) === stub) this.#forget(id)
      throw thrown
    }
  }

  #forget(id: string): void {
    this.#kv.get(id)?.close()
    this.#kv.delete(id)
  }

  #stub(id: string): Stub {
    const known = this.#kv.get(id)
    if (known !== undefined) return known
    const member = this.#processes.members.find((each) => each.id === id)
    if (member === undefined) throw new Error(`etcd has no member ${id}`)
    const stub = this.#open(member)
    this.#kv.set(id, stub)
    return stub
  }

  #open({ address }: EtcdMember): Stub {
    // Without its own pool a new channel would share the old one's connection, and its backoff.
    return new this.#api.KV(address, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    })
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
      return await call(stub, 'Status', {}, statusMs)
    } finally {
      stub.close()
    }
  }

  async #ready(member: EtcdMember): Promise<void> {
    for (;;) {
      const stub = this.#open(member)
      const answered = await call(stub, 'Range', { key: readKey }, statusMs).catch(() => null)
      stub.close()
      if (answered !== null) return
      await delay(10)
    }
  }
}

const readKey = Buffer.from('read')
/** Tags and lengths of a PutRequest around its key and its value. */
const framingBytes = 5

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
