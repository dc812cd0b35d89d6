/** One line of a scenario as words, read from left to right, with errors that name file and line. */
import { logIndex, term, type LogIndex, type NodeId, type Term } from '../../../src/raft/index.js'

export interface Place {
  readonly file: string
  readonly line: number
}

export class ParseError extends Error {
  override readonly name = 'ParseError'

  constructor(place: Place, sentence: string) {
    super(`${place.file}:${String(place.line)}: ${sentence}`)
  }
}

export interface Position {
  readonly index: LogIndex
  readonly term: Term
}

/** A null end stands for any node. */
export interface Link {
  readonly from: NodeId | null
  readonly to: NodeId | null
}

export type Comparison = '=' | '<' | '<=' | '>' | '>='

const comparisons: readonly string[] = ['=', '<', '<=', '>', '>='] satisfies Comparison[]

export class Words {
  readonly place: Place
  readonly text: string
  private readonly words: readonly string[]
  private next = 0

  constructor(place: Place, text: string) {
    this.place = place
    this.text = text.trim()
    this.words = [...this.text.matchAll(/"[^"]*"|\S+/g)].map(([word]) => word)
  }

  get isAtEnd(): boolean {
    return this.next >= this.words.length
  }

  fail(sentence: string): never {
    throw new ParseError(this.place, `${sentence} in "${this.text}"`)
  }

  peek(): string | null {
    return this.words[this.next] ?? null
  }

  /** Takes the next word when it is this one. */
  takes(word: string): boolean {
    if (this.peek() !== word) return false
    this.next += 1
    return true
  }

  expect(word: string): void {
    if (!this.takes(word)) this.fail(`expected "${word}"${this.found()}`)
  }

  word(what: string): string {
    const word = this.peek() ?? this.fail(`expected ${what}${this.found()}`)
    this.next += 1
    return word
  }

  oneOf<W extends string>(what: string, words: readonly W[]): W {
    const word = this.word(what)
    return (
      words.find((known) => known === word) ??
      this.fail(`expected ${what} (${words.join(', ')}), found "${word}"`)
    )
  }

  quoted(): string {
    const word = this.word('a text in quotes')
    if (!word.startsWith('"')) this.fail(`expected a text in quotes, found "${word}"`)
    return word.slice(1, -1)
  }

  number(what: string): number {
    const word = this.word(what)
    if (!/^\d+$/.test(word)) this.fail(`expected ${what}, found "${word}"`)
    return Number(word)
  }

  /** The next word when it is a number, else the given one. */
  numberOr(otherwise: number): number {
    return /^\d+$/.test(this.peek() ?? '') ? this.number('a number') : otherwise
  }

  index(what = 'an index'): LogIndex {
    return logIndex(this.number(what))
  }

  term(): Term {
    return term(this.number('a term'))
  }

  node(): NodeId {
    const word = this.word('a node')
    if (!isNode(word)) this.fail(`expected a node (1 to 9), found "${word}"`)
    return word
  }

  /** `1 3`, `1..3`, or none at all. */
  nodesOrNone(): NodeId[] {
    const nodes: NodeId[] = []
    for (;;) {
      const word = this.peek() ?? ''
      const range = /^([1-9])\.\.([1-9])$/.exec(word)
      if (range === null && !isNode(word)) return nodes
      this.next += 1
      const first = Number(range?.[1] ?? word)
      const last = Number(range?.[2] ?? word)
      for (let id = first; id <= last; id += 1) nodes.push(String(id))
    }
  }

  nodes(): NodeId[] {
    const nodes = this.nodesOrNone()
    return nodes.length > 0 ? nodes : this.fail(`expected nodes${this.found()}`)
  }

  /** `1->2`, `*->2`, `1->*`. */
  link(): Link {
    const word = this.word('a link')
    const match = /^([1-9*])->([1-9*])$/.exec(word)
    if (match === null) this.fail(`expected a link like 1->2 or *->2, found "${word}"`)
    const end = (text: string | undefined): NodeId | null =>
      text === undefined || text === '*' ? null : text
    return { from: end(match[1]), to: end(match[2]) }
  }

  isAtLink(): boolean {
    return (this.peek() ?? '').includes('->')
  }

  /** A link that names both ends. */
  direction(): { readonly from: NodeId; readonly to: NodeId } {
    const { from, to } = this.link()
    if (from === null || to === null) this.fail('expected a link between two named nodes')
    return { from, to }
  }

  /** `index/term`. */
  position(): Position {
    const word = this.word('a position index/term')
    const match = /^(\d+)\/(\d+)$/.exec(word)
    if (match === null) this.fail(`expected a position like 5/2 (index/term), found "${word}"`)
    return { index: logIndex(Number(match[1])), term: term(Number(match[2])) }
  }

  /** `1/1 2..4/2` as single positions, or none at all. */
  positions(): Position[] {
    const positions: Position[] = []
    for (;;) {
      const match = /^(\d+)(?:\.\.(\d+))?\/(\d+)$/.exec(this.peek() ?? '')
      if (match === null) return positions
      this.next += 1
      const first = Number(match[1])
      const last = Number(match[2] ?? first)
      for (let index = first; index <= last; index += 1) {
        positions.push({ index: logIndex(index), term: term(Number(match[3])) })
      }
    }
  }

  comparison(): Comparison {
    const word = this.word('a comparison')
    if (!isComparison(word)) this.fail(`expected =, <, <=, > or >=, found "${word}"`)
    return word
  }

  isAtComparison(): boolean {
    return isComparison(this.peek() ?? '')
  }

  end(): void {
    if (!this.isAtEnd) this.fail(`did not expect "${this.peek() ?? ''}"`)
  }

  private found(): string {
    const word = this.peek()
    return word === null ? ', found the end of the line' : `, found "${word}"`
  }
}

function isNode(word: string): boolean {
  return /^[1-9]$/.test(word)
}

function isComparison(word: string): word is Comparison {
  return comparisons.includes(word)
}

export function compares(left: number, comparison: Comparison, right: number): boolean {
  switch (comparison) {
    case '=':
      return left === right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}
