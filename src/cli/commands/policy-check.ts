import path from 'node:path'
import type { Command } from 'commander'
import {
  decodeGenesis,
  decodePolicy,
  governedBy,
  featureLevelMax,
  judgeAfterState,
  overlay,
  schemaFaults,
  type Genesis,
  type Governed,
  type PolicyDocument,
} from '../../approval/index.js'
import { CountersignError, type Refusal } from '../../errors.js'
import { encodeCanonical, sha256Hex } from '../../signing/index.js'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { badInput, usage } from '../failures.js'
import { readGovernance } from '../governed-documents.js'
import { idleFields } from '../policy-remarks.js'
import { readDocument } from '../read-document.js'
import type { Session } from '../session.js'

interface Options {
  readonly name?: string
  readonly genesis?: string
  readonly offline?: true
}

export function define(command: Command, open: OpenSession): void {
  command
    .argument('<file>', 'a policy in YAML')
    .option('--name <name>', "the policy's name; else the file's")
    .option('--genesis <genesis.json>', 'judge it against the people of this genesis')
    .option('--offline', 'judge its form only; ask nobody')
    .action(async (file: string, options: Options) => {
      const session = open()
      if (options.offline === true && options.genesis !== undefined) {
        throw usage('--offline and --genesis exclude each other.')
      }
      const name = options.name ?? path.basename(file).replace(/\.(ya?ml|json)$/i, '')
      const document = await readDocument(session.resolve(file))
      // The schema names every fault of form at once; the decoder is the one that counts.
      const faults = schemaFaults(document)
      const decoded = decodePolicy(document)
      if (decoded.kind === 'refused') throw refusedPolicy(file, decoded.refusal, faults)
      if (faults.length > 0) throw badInput(`${file}: ${faults.join('; ')}`)
      const judged = await judge(session, options, name, decoded.policy)
      const remarks = idleFields(decoded.policy)
      const canonical = encodeCanonical(document)
      session.output.result(
        {
          name,
          judgedAgainst: judged,
          rules: decoded.policy.rules.map(({ id }) => id),
          bytes: canonical.length,
          sha256: sha256Hex(canonical),
          remarks,
        },
        () => [
          `policy ${escapeLine(name)}: ${String(decoded.policy.rules.length)} ${
            decoded.policy.rules.length === 1 ? 'rule' : 'rules'
          }, ${judged === 'form' ? 'form is good (not judged against people)' : `good against the ${judged}`}`,
        ],
      )
      for (const { rule, field, message } of remarks) {
        session.output.warn(`rule ${escapeLine(rule)}, ${field}: ${message}`)
      }
    })
}

/** Could people satisfy it, beside everything else that is in force? */
async function judge(
  session: Session,
  options: Options,
  name: string,
  policy: PolicyDocument,
): Promise<'cluster' | 'genesis' | 'form'> {
  if (options.offline === true) return 'form'
  const { genesis, governed } =
    options.genesis === undefined
      ? await fromCluster(session)
      : await fromGenesis(session.resolve(options.genesis))
  const after = overlay(governed, [{ kind: 'policy', name, policy }])
  const fault = judgeAfterState(after, genesis.floor, 'policy', featureLevelMax)
  if (fault !== null) throw CountersignError.fromRefusal(fault)
  return options.genesis === undefined ? 'cluster' : 'genesis'
}

async function fromCluster(
  session: Session,
): Promise<{ readonly genesis: Genesis; readonly governed: Governed }> {
  const { genesis } = await session.cluster()
  const { governed } = await readGovernance(await session.client(), genesis)
  return { genesis, governed }
}

async function fromGenesis(
  file: string,
): Promise<{ readonly genesis: Genesis; readonly governed: Governed }> {
  const decoded = decodeGenesis(encodeCanonical(await readDocument(file)))
  if (decoded.kind === 'refused') throw CountersignError.fromRefusal(decoded.refusal)
  return { genesis: decoded.genesis, governed: governedBy(decoded.genesis) }
}

function refusedPolicy(
  file: string,
  refusal: Refusal,
  faults: readonly string[],
): CountersignError {
  return new CountersignError(refusal.code, `${file}: ${refusal.message}`, {
    details: {
      ...refusal.details,
      ...(faults.length > 1 ? { faults } : {}),
      next: 'Correct the named field; docs/cli.md has the form.',
    },
  })
}
