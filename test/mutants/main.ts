/**
 * `npm run mutants`: puts known bugs into the protocol, one at a time, and checks that the tests
 * notice. Ends with 1 when one survives or no longer fits its source.
 *
 *     --only NAME    those whose name contains this      --ten         the ten of every merge
 *     --seeds N      simulator seeds for each (0: none)  --json        one line of JSON for each
 *     --all          every scenario that notices, not the first alone
 *     --jobs N       side by side (2)                    --write-docs  writes docs/mutants.md
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mutantsPage } from './docs-page.js'
import { baseline, hunt, isCaught, type Hunted } from './hunt.js'
import { allMutants } from './index.js'
import type { Mutant } from './mutant.js'
import { Sandbox } from './sandbox.js'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    ten: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '20' },
    all: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    'write-docs': { type: 'boolean', default: false },
  },
})
const root = process.cwd()
const options = { seeds: Number(values.seeds), all: values.all }
const chosen = allMutants.filter(
  (mutant) => mutant.name.includes(values.only) && (!values.ten || mutant.ten === true),
)

function report(hunted: Hunted): void {
  if (values.json) {
    const { mutant, ...rest } = hunted
    console.log(JSON.stringify({ name: mutant.name, file: mutant.file, ...rest }))
    return
  }
  const { mutant, scenarios, seed, seconds, sentence } = hunted
  const by = [
    ...(scenarios.length > 0 ? [`scenario ${scenarios.join(', ')}`] : []),
    ...(seed === null ? [] : [`seed ${String(seed)}`]),
  ].join(' and ')
  const verdict = isCaught(hunted) ? `caught by ${by}` : 'SURVIVES'
  console.log(`${mutant.name}: ${verdict} (${String(seconds)} s)`)
  if (sentence !== '') console.log(`    ${sentence}`)
}

async function work(sandbox: Sandbox, queue: Mutant[], done: Hunted[]): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const hunted = await hunt(sandbox, mutant, options)
    report(hunted)
    done.push(hunted)
  }
}

async function huntAll(): Promise<boolean> {
  const first = Sandbox.create(root)
  const sandboxes = [first]
  try {
    const broken = await baseline(first)
    if (broken !== null) {
      console.error(`The scenarios fail without any mutant: ${broken}`)
      return false
    }
    while (sandboxes.length < Number(values.jobs)) sandboxes.push(first.clone())
    const queue = [...chosen]
    const done: Hunted[] = []
    await Promise.all(sandboxes.map((sandbox) => work(sandbox, queue, done)))
    const inOrder = chosen.flatMap((mutant) => done.filter((hunted) => hunted.mutant === mutant))
    const survivors = inOrder.filter((hunted) => !isCaught(hunted))
    if (values['write-docs']) {
      writeFileSync(join(root, 'docs/mutants.md'), mutantsPage(inOrder))
    }
    if (!values.json) {
      console.log(`${String(inOrder.length)} mutants, ${String(survivors.length)} survive`)
    }
    return survivors.length === 0 && inOrder.length > 0
  } finally {
    for (const sandbox of sandboxes) sandbox.close()
  }
}

process.exitCode = (await huntAll()) ? 0 : 1
