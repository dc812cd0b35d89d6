/** Tells the story on a terminal or into a log, and keeps the count of what was expected. */

const green = '\u001b[32m'
const red = '\u001b[31m'
const bold = '\u001b[1m'
const plain = '\u001b[0m'

export class Narrator {
  readonly #write: (line: string) => void
  readonly #inColour: boolean
  readonly #startedMs = performance.now()
  #scenes = 0
  #held = 0
  readonly #broken: string[] = []

  constructor(write: (line: string) => void, inColour: boolean) {
    this.#write = write
    this.#inColour = inColour
  }

  /** Printed before the scene is played, so that one sees what takes its time. */
  scene(title: string): void {
    this.#scenes += 1
    this.#write('')
    this.#write(`${String(this.#scenes).padStart(2)}  ${this.#colour(bold, title)}`)
  }

  /** What a person would type. */
  typed(command: string): void {
    this.#write(`    $ ${command}`)
  }

  tell(fact: string): void {
    this.#write(`      ${fact}`)
  }

  /** `word` is the state or error code that the scene is about. */
  expect(holds: boolean, word: string, what: string): void {
    if (holds) this.#held += 1
    else this.#broken.push(`scene ${this.#scenes}: ${word} ${what}`)
    const mark = holds ? this.#colour(green, 'ok  ') : this.#colour(red, 'FAIL')
    this.#write(`   ${mark} ${word.padEnd(14)} ${what}`)
  }

  fail(reason: string): void {
    this.expect(false, 'ENDED', reason)
  }

  get allHeld(): boolean {
    return this.#broken.length === 0
  }

  /** The last line. */
  sumUp(): void {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1)
    for (const line of this.#broken) this.#write(`Not as expected: ${line}`)
    this.#write('')
    this.#write(
      `${this.#scenes} scenes in ${seconds} s: ${this.#held} expectations held, ${this.#broken.length} did not.`,
    )
  }

  #colour(code: string, text: string): string {
    return this.#inColour ? `${code}${text}${plain}` : text
  }
}
