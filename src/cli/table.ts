/** Columns that line up. Cells are already escaped; colour codes in them take no room. */

export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly indent?: number } = {},
): string[] {
  if (rows.length === 0) return []
  const all = head.length === 0 ? rows : [head, ...rows]
  const widths = all[0]?.map((_, column) =>
    Math.max(...all.map((row) => displayWidth(row[column] ?? ''))),
  )
  const indent = ' '.repeat(options.indent ?? 0)
  return all.map((row) => {
    const cells = row.map((cell, column) =>
      column === row.length - 1
        ? cell
        : cell + ' '.repeat((widths?.[column] ?? 0) - displayWidth(cell)),
    )
    return (indent + cells.join('  ')).trimEnd()
  })
}

/** Columns that a text takes: combining marks none, wide East Asian characters and emoji two. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text.replace(colourCode, '')) {
    if (combining.test(character)) continue
    width += wide.test(character) ? 2 : 1
  }
  return width
}

/** Cuts a text to a number of columns, with an ellipsis where something is left out. */
export function cut(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const character of text) {
    const step = displayWidth(character)
    if (width + step > columns - 1) break
    kept += character
    width += step
  }
  return `${kept}…`
}

const colourCode = /\u001b\[[0-9;]*m/g
const combining = /^\p{M}$/u
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}])$/u
