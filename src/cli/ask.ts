/** Questions to a person at a terminal. They go to stderr, so that stdout stays the result. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Lines that arrived together with an earlier answer (pasted, or typed ahead). */
const typedAhead: string[] = []

export function askOnTerminal(question: string, hidden: boolean): Promise<string | null> {
  process.stderr.write(question)
  const ready = typedAhead.shift()
  if (ready !== undefined) {
    process.stderr.write('\n')
    return Promise.resolve(ready)
  }
  const silent = new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const lines = createInterface({
    input: process.stdin,
    output: hidden ? silent : process.stderr,
    terminal: process.stdin.isTTY,
  })
  return new Promise((resolve) => {
    const answers: string[] = []
    lines.on('line', (line) => {
      answers.push(line)
      // Lines of the same chunk follow before the turn ends; closing at once would lose them.
      if (answers.length === 1) {
        setImmediate(() => {
          lines.close()
        })
      }
    })
    // Ctrl-C while the question stands: no answer. The caller ends as cancelled.
    lines.once('SIGINT', () => {
      lines.close()
    })
    lines.once('close', () => {
      const [answer, ...more] = answers
      typedAhead.push(...more)
      if (hidden || answer === undefined) process.stderr.write('\n')
      resolve(answer ?? null)
    })
  })
}
