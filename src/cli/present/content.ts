/** What stands at a path, as text. Values come from others: everything is escaped. */
import type { EntryContent } from '../../machine/index.js'
import { canonicalText, compareCodeUnits, type Json } from '../../signing/index.js'
import { escapeLine } from '../escape.js'

export type Content = EntryContent | { readonly kind: 'deleted' }

/** One line, exact: canonical JSON of a value. */
export function contentLine(content: Content): string {
  switch (content.kind) {
    case 'value':
      return valueLine(content.value)
    case 'detached':
      return valueLine(content.value)
    case 'sealed':
      return `(sealed, ${String(content.ciphertext.length)} characters, key ${escapeLine(content.keyReference)})`
    case 'deleted':
      return '(deleted)'
  }
}

export function valueLine(value: Json): string {
  return escapeLine(canonicalText(value))
}

/** Several lines for what does not fit in one; names in canonical order. */
export function valueLines(value: Json): string[] {
  return layOut(value, '').map(escapeLine)
}

export function contentLines(content: Content): string[] {
  return content.kind === 'value' || content.kind === 'detached'
    ? valueLines(content.value)
    : [contentLine(content)]
}

/** Columns that an object or array may take and still stand in one line. */
const lineColumns = 72

function layOut(value: Json, indent: string): string[] {
  const whole = canonicalText(value)
  const isInner = typeof value === 'object' && value !== null
  if (!isInner || whole.length + indent.length <= lineColumns) return [whole]
  const inner = `${indent}  `
  const items = Array.isArray(value)
    ? (value as readonly Json[]).map((item) => layOut(item, inner))
    : // Canonical order: an object's own order is not that of the signed bytes.
      Object.entries(value)
        .sort(([a], [b]) => compareCodeUnits(a, b))
        .map(([name, item]) => {
          const [first = '', ...rest] = layOut(item, inner)
          return [`${canonicalText(name)}: ${first}`, ...rest]
        })
  const lines = items.flatMap((item, index) => {
    const comma = index === items.length - 1 ? '' : ','
    return item.map((line, at) => `  ${line}${at === item.length - 1 ? comma : ''}`)
  })
  return Array.isArray(value) ? ['[', ...lines, ']'] : ['{', ...lines, '}']
}
