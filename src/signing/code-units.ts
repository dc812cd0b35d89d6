/**
 * The one order of names and sets: UTF-16 code units, as RFC 8785 3.2.3 asks. Never a locale.
 * `a < b` on JavaScript strings compares exactly that.
 */
export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
