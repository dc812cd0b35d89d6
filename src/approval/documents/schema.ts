/**
 * The JSON Schema of a policy document, for editors and for messages that name every fault at once
 * (CLI, api). What counts at apply is the decoder in policy.ts; a test holds both together on a
 * corpus. The one user of ajv: apply never reaches a schema library's defaults.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { isObject } from '../forms/shape.js'
import type { Json } from '../../signing/index.js'

const name = { $ref: '#/definitions/name' }
const names = { $ref: '#/definitions/names' }
const glob = { $ref: '#/definitions/glob' }
const duration = { $ref: '#/definitions/duration' }
const lines = { $ref: '#/definitions/lines' }
const tier = { $ref: '#/definitions/tier' }
const closed = { type: 'object', additionalProperties: false }

const durationPart = '(0|[1-9][0-9]{0,4})'

export const policySchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Countersign policy document, format 1',
  ...closed,
  required: ['format', 'rules'],
  properties: {
    format: { const: 1 },
    rules: { type: 'array', minItems: 1, maxItems: 64, items: { $ref: '#/definitions/rule' } },
  },
  definitions: {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
    names: { type: 'array', minItems: 1, maxItems: 32, uniqueItems: true, items: name },
    glob: { type: 'string', maxLength: 512, pattern: '^(/[A-Za-z0-9._~*-]+)+$' },
    duration: {
      type: 'string',
      pattern: `^(?=[0-9])(${['d', 'h', 'm', 's'].map((unit) => durationPart + unit).join(')?(')})?$`,
    },
    line: {
      ...closed,
      required: ['count', 'group'],
      properties: { count: { type: 'integer', minimum: 1, maximum: 16 }, group: name },
    },
    lines: { type: 'array', minItems: 1, maxItems: 8, items: { $ref: '#/definitions/line' } },
    tier: { ...closed, required: ['need'], properties: { need: lines } },
    window: {
      ...closed,
      required: ['days', 'from', 'to'],
      properties: {
        days: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { enum: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] },
        },
        from: duration,
        to: duration,
      },
    },
    rule: {
      ...closed,
      required: ['id', 'paths'],
      properties: {
        id: name,
        note: { type: 'string', maxLength: 1000 },
        kind: { enum: ['ordinary', 'rollback', 'emergency'] },
        paths: { type: 'array', minItems: 1, maxItems: 32, uniqueItems: true, items: glob },
        propose: {
          ...closed,
          required: ['groups'],
          properties: { groups: names, agents: { enum: ['never', 'sponsored'] } },
        },
        need: lines,
        veto: lines,
        distinct: { enum: ['rule', 'global'] },
        risk: { ...closed, minProperties: 1, properties: { medium: tier, high: tier } },
        windows: {
          type: 'array',
          minItems: 1,
          maxItems: 16,
          items: { $ref: '#/definitions/window' },
        },
        open: duration,
        use: duration,
        weakeningDelay: duration,
        bake: { ...closed, required: ['for'], properties: { for: duration, watch: names } },
        rollback: {
          oneOf: [
            { ...closed, required: ['plan'], properties: { plan: { const: 'none' } } },
            {
              ...closed,
              required: ['plan', 'by'],
              properties: { plan: { const: 'inverse' }, by: lines, freeze: duration },
            },
          ],
        },
        ttl: duration,
        ratify: {
          ...closed,
          required: ['need', 'within', 'else'],
          properties: { need: lines, within: duration, else: { const: 'inverse' } },
        },
      },
      if: { required: ['kind'], properties: { kind: { const: 'emergency' } } },
      then: {
        required: ['propose', 'need', 'ttl', 'ratify'],
        properties: {
          open: false,
          use: false,
          risk: false,
          windows: false,
          weakeningDelay: false,
          propose: { type: 'object', properties: { agents: { const: 'never' } } },
        },
      },
      else: { properties: { ttl: false, ratify: false } },
    },
  },
} as const

let compiled: ValidateFunction | undefined

/** Every fault as `place: what is wrong`; empty when the document passes. */
export function schemaFaults(document: Json): readonly string[] {
  // Compiled at first use: 20 ms that most commands do not need.
  compiled ??= new Ajv({ allErrors: true, strict: true, strictRequired: false }).compile(
    policySchema,
  )
  if (compiled(document)) return []
  return (compiled.errors ?? []).map(faultText)
}

function faultText({ instancePath, message, params }: ErrorObject): string {
  const place = instancePath === '' ? 'the document' : instancePath
  const extra = isObject(params as Json) ? (params as { additionalProperty?: string }) : {}
  const named = extra.additionalProperty === undefined ? '' : ` (${extra.additionalProperty})`
  return `${place}: ${message ?? 'is not valid'}${named}`
}
