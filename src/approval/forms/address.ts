/** `host:port` of a node, judged without a regular expression because apply judges it. */
import { limits } from '../limits.js'
import { invalid, type Check } from './shape.js'
import { every, isDigit, isLower } from './text.js'

/** A DNS name, an IPv4 address or a bracketed IPv6 address, and a port from 1 to 65535. */
export function isAddress(text: string): boolean {
  const colon = text.lastIndexOf(':')
  return colon > 0 && isPort(text.slice(colon + 1)) && isHost(text.slice(0, colon))
}

export const address: Check = (value, at) =>
  typeof value === 'string' && value.length <= limits.addressBytesMax && isAddress(value)
    ? null
    : invalid(at, 'must be host:port, such as 10.0.0.11:7100 or [::1]:7100')

function isPort(text: string): boolean {
  if (text.length < 1 || text.length > 5 || text.startsWith('0') || !every(text, isDigit)) {
    return false
  }
  return Number(text) <= 65_535
}

function isHost(text: string): boolean {
  if (text.startsWith('[')) {
    return text.length > 2 && text.endsWith(']') && every(text.slice(1, -1), isAddressCharacter)
  }
  return every(text, isHostCharacter) && !text.startsWith('-') && !text.startsWith('.')
}

/** `[0-9A-Fa-f:.]` */
function isAddressCharacter(c: number): boolean {
  return (
    isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66) || c === 0x3a || c === 0x2e
  )
}

/** `[A-Za-z0-9.-]` */
function isHostCharacter(c: number): boolean {
  return isLower(c) || isDigit(c) || (c >= 0x41 && c <= 0x5a) || c === 0x2d || c === 0x2e
}
