/** The people of the example cluster, and the messages that they sign. */
import path from 'node:path'
import {
  composeAction,
  composeDecision,
  composePropose,
  sign,
  type CountersignClient,
  type SignedMessage,
} from '../../src/client/index.js'
import type { Signer } from '../../src/signing/index.js'
import { readKeyFile } from '../../src/signing/key-file.js'

const names = ['alice', 'bob', 'carol'] as const
export type PersonName = (typeof names)[number]

type ChangeView = Awaited<ReturnType<CountersignClient['getChange']>>['value']

export class People {
  readonly #clusterId: string
  readonly #signers: ReadonlyMap<PersonName, Signer>

  private constructor(clusterId: string, signers: ReadonlyMap<PersonName, Signer>) {
    this.#clusterId = clusterId
    this.#signers = signers
  }

  static async read(directory: string, clusterId: string): Promise<People> {
    const signers = await Promise.all(
      names.map(async (name) => {
        const file = path.join(directory, 'people', `${name}.key.pem`)
        return [name, await readKeyFile(file)] as const
      }),
    )
    return new People(clusterId, new Map(signers))
  }

  get names(): readonly PersonName[] {
    return names
  }

  propose(
    author: PersonName,
    put: { readonly path: string; readonly value: number; readonly modRevision: number },
  ): { readonly changeId: string; readonly message: SignedMessage } {
    const signer = this.#signerOf(author)
    const { path: target, value, modRevision } = put
    const composed = composePropose({
      ...{ clusterId: this.#clusterId, person: author, keyId: signer.keyId },
      title: `Set ${target}`,
      ops: [{ action: 'put', path: target, value }],
      base: [{ path: target, modRevision }],
    })
    return { changeId: composed.body.changeId, message: sign(composed, signer) }
  }

  approve(approver: PersonName, change: ChangeView): SignedMessage {
    const signer = this.#signerOf(approver)
    const head = { clusterId: this.#clusterId, person: approver, keyId: signer.keyId }
    return sign(composeDecision({ ...head, decision: 'approve', change }), signer)
  }

  withdraw(author: PersonName, change: ChangeView): SignedMessage {
    const signer = this.#signerOf(author)
    const head = { clusterId: this.#clusterId, person: author, keyId: signer.keyId }
    return sign(composeAction({ ...head, action: 'withdraw', change }), signer)
  }

  #signerOf(name: PersonName): Signer {
    const signer = this.#signers.get(name)
    if (signer === undefined) throw new Error(`${name} has no key`)
    return signer
  }
}
