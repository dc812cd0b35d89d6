/** The files that a node reads before it opens its stores, each named by its configuration key. */
import { readFile } from 'node:fs/promises'
import { decodeGenesis, type Genesis } from '../approval/index.js'
import type { NodeConfig } from '../config/index.js'
import { CountersignError } from '../errors.js'

export async function readGenesis(
  file: string,
): Promise<{ readonly genesis: Genesis; readonly clusterId: string }> {
  const decoded = decodeGenesis(await readConfigured(file, 'genesisFile'))
  if (decoded.kind === 'refused') {
    throw new CountersignError('GENESIS_INVALID', `${file}: ${decoded.refusal.message}`, {
      details: { file, ...decoded.refusal.details },
    })
  }
  return decoded
}

export async function readTls(
  config: NodeConfig,
): Promise<{ readonly ca: string; readonly certificate: string; readonly key: string }> {
  const { caFile, certificateFile, keyFile } = config.tls
  const [ca, certificate, key] = await Promise.all([
    readConfigured(caFile, 'tls.caFile'),
    readConfigured(certificateFile, 'tls.certificateFile'),
    readConfigured(keyFile, 'tls.keyFile'),
  ])
  return { ca: ca.toString(), certificate: certificate.toString(), key: key.toString() }
}

async function readConfigured(file: string, key: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CountersignError(
      'CONFIG_INVALID',
      `\`${key}\`: ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { details: { key, file }, cause },
    )
  }
}
