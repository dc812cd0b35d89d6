import { usage } from './failures.js'

/** A whole number of at least 1, as an option's value. */
export function countOption(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw usage(`"${text}" is not a whole number from 1.`)
  return Number(text)
}
