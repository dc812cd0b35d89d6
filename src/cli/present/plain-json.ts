/** Views as JSON for machines: signed messages become DSSE JSON envelopes, other bytes base64. */
import { envelopeToJson, toBase64, type Envelope, type Json } from '../../signing/index.js'

export function plainJson(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return value
  if (value instanceof Uint8Array) return toBase64(value)
  if (Array.isArray(value)) return value.map(plainJson)
  if (typeof value !== 'object') return null
  if (isEnvelope(value)) return envelopeToJson(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, plainJson(member)]))
}

function isEnvelope(value: object): value is Envelope {
  return (
    'type' in value &&
    'body' in value &&
    value.body instanceof Uint8Array &&
    'signature' in value &&
    value.signature instanceof Uint8Array
  )
}
