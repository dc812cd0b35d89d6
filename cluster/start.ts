/** `npm start`: three nodes on this machine; the first run makes the example cluster. */
import path from 'node:path'
import { readClusterFile } from './cluster-file.js'
import { runCluster } from './launch.js'
import { runProgram } from './program.js'

const next = `
Nobody can change this configuration alone. In another terminal, in this folder:

  npx --no countersign propose --as alice --set /prod/payments/timeout_ms=2500 \\
      --reason "Raise the payment timeout before the sale"
  npx --no countersign changes
  npx --no countersign approve CHANGE --as bob      (then once more --as carol)
  npx --no countersign get /prod/payments/timeout_ms

Ctrl-C stops the nodes; \`npm start\` continues with the same data.`

async function start(): Promise<number> {
  const print = (line: string) => {
    console.log(line)
  }
  const directory = process.env['COUNTERSIGN_DIR'] ?? '.countersign'
  if ((await readClusterFile(path.resolve(directory))) === undefined) {
    print(`Making an example cluster in ${directory} ...`)
    const made = await runProgram(['init', '--example', '--dir', directory])
    if (made.code !== 0) {
      console.error(made.stderr)
      return made.code ?? 1
    }
    print(made.stdout.trimEnd())
  }
  return runCluster({ directory, calledAs: 'npx --no countersign', next: next.split('\n'), print })
}

try {
  process.exitCode = await start()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
