/**
 * A configuration as the payload of its entry: JSON in UTF-8, members in alphabetical order, no
 * white space. One configuration has one encoding, so equal configurations are equal bytes.
 */
import type { Configuration, NodeId } from '../types.js'
import { isSound } from './configuration.js'

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return new TextEncoder().encode(textOf(configuration))
}

/** Null when these are not the bytes that {@link encodeConfiguration} makes of a sound one. */
export function decodeConfiguration(payload: Uint8Array): Configuration | null {
  const text = textFrom(payload)
  if (text === null) return null
  const value = valueFrom(text)
  if (typeof value !== 'object' || value === null) return null
  const { voters, outgoing, learners, target } = value as Record<string, unknown>
  if (!isIds(voters) || !isIds(outgoing) || !isIds(learners)) return null
  if (target !== null && !isIds(target)) return null
  const configuration: Configuration = { voters, outgoing, learners, target }
  return isSound(configuration) && textOf(configuration) === text ? configuration : null
}

function textOf({ learners, outgoing, target, voters }: Configuration): string {
  return JSON.stringify({ learners, outgoing, target, voters })
}

function textFrom(payload: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
  } catch {
    return null
  }
}

function valueFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isIds(value: unknown): value is readonly NodeId[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string')
}
