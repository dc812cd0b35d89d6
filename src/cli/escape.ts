/**
 * Text that came from elsewhere, made safe to print. A terminal obeys control characters, and
 * bidirectional or invisible ones make a text read differently from what was signed
 * (CVE-2021-42574): each is shown as `\u{hex}`.
 */

/** One line: line breaks and tabs are escaped too. */
export function escapeLine(text: string): string {
  return text.replace(unsafe, shown)
}

/** Several lines: line feeds stay. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeLine).join('\n')
}

/*
 * Cc controls (C0, DEL, C1), Cf format characters (bidirectional marks and overrides, zero-width
 * joiners, byte order mark, tags), Zl and Zp separators, Cs lone surrogates, Co private use,
 * variation selectors, and the blank-looking Hangul fillers and Braille blank.
 */
const unsafe =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u{115F}\u{1160}\u{2800}\u{3164}\u{FFA0}\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]/gu

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return `\\u{${code.toString(16)}}`
}
