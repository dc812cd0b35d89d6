/** A client whose cluster is one real state machine in this process: no network, no time. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { decodeGenesis } from '../../src/approval/index.js'
import type {
  CountersignClient,
  SignedMessage,
  SubmitResult,
  WatchEvent,
} from '../../src/client/index.js'
import { CountersignError } from '../../src/errors.js'
import { createMachine, type Machine } from '../../src/machine/index.js'
import { verifyStrict } from '../../src/signing/index.js'

export interface LoneMachine extends CountersignClient {
  readonly machine: Machine
}

/** Founded by the genesis that `init` wrote into this directory. */
export async function loneMachine(directory: string): Promise<LoneMachine> {
  const decoded = decodeGenesis(await readFile(path.join(directory, 'genesis.json')))
  if (decoded.kind === 'refused') throw CountersignError.fromRefusal(decoded.refusal)
  const machine = createMachine(decoded.genesis, decoded.clusterId)
  // The first leader's no-op is entry 1.
  machine.skip(1, 1)
  let index = 1

  const submit = (message: SignedMessage): Promise<SubmitResult> => {
    index += 1
    const command = { kind: 'submit', ...message } as const
    const { result } = machine.apply({ index, term: 1, command }, verifyStrict)
    if (result?.kind === 'accepted') return Promise.resolve(result)
    if (result === null) return Promise.reject(new Error('a submit has no result'))
    return Promise.reject(CountersignError.fromRefusal(result.refusal))
  }
  const read = <T>(value: T | undefined, missing: CountersignError) =>
    value === undefined ? Promise.reject(missing) : Promise.resolve({ value, revision: index })
  const unknown = (code: 'UNKNOWN_PATH' | 'UNKNOWN_CHANGE', what: string) =>
    new CountersignError(code, `${what} is unknown`)

  return {
    machine,
    addresses: ['lone:1'],
    propose: submit,
    decide: submit,
    withdraw: submit,
    activate: submit,
    acknowledge: submit,
    proposeStream: () => ({ submit, end: () => Promise.resolve() }),
    preview: (message) =>
      Promise.resolve({
        value: machine.reads.preview({ kind: 'submit', ...message }),
        revision: index,
      }),
    getChange: (id, options) =>
      read(machine.reads.change(id, options?.asker), unknown('UNKNOWN_CHANGE', id)),
    listChanges: (query) =>
      Promise.resolve({
        value: machine.reads.changes({ ...query, limit: query?.limit ?? 1000 }),
        revision: index,
      }),
    get: (at) => read(machine.reads.get(at), unknown('UNKNOWN_PATH', at)),
    list: (prefix) =>
      Promise.resolve({ value: machine.reads.list(prefix, { limit: 1000 }), revision: index }),
    history: (at, query) =>
      Promise.resolve({
        value: machine.reads.history(at, { limit: query?.limit ?? 1000 }),
        revision: index,
      }),
    async *watch({ prefix, afterRevision }): AsyncGenerator<WatchEvent, void> {
      await Promise.resolve()
      const after = afterRevision ?? 0
      yield { kind: 'started', revision: after, address: 'lone:1' }
      for (const batch of machine.writtenSince(after, prefix)) {
        yield { kind: 'batch', more: false, ...batch }
      }
    },
    status: () => Promise.reject(new CountersignError('UNREACHABLE', 'a lone machine is no node')),
    close: () => undefined,
  }
}
