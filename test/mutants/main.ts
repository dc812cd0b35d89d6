/**
 * `npm run mutants`: puts known bugs into the protocol, one at a time, and checks that the tests
 * notice. The last line sums up. Ends with 1 when one survives or no longer fits its source.
 *
 *     --only NAME    those whose name contains this      --ten         the ten of every merge
 *     --seeds N      simulator seeds for each (0: none)  --json        one line of JSON for each
 *     --all          every scenario that notices, not the first alone
 *     --jobs N       side by side (2)                    --write-docs  writes docs/mutants.md
 */
import { execFileSync } from 'node:child_process'
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
  const { mutant, scenarios, scenarioSeconds, seed, seedsRan, seedSeconds } = hunted
  const by = [
    ...(scenarios.length > 0
      ? [`scenario ${scenarios.join(', ')} in ${String(scenarioSeconds)} s`]
      : []),
    ...(seed === null ? [] : [`seed ${String(seed)} in ${String(seedSeconds)} s`]),
  ].join(' and ')
  console.log(`${mutant.name}: ${isCaught(hunted) ? `caught by ${by}` : 'SURVIVES'}`)
  if (hunted.cutShort) {
    console.log(`    CUT SHORT: ${String(seedsRan)} of ${String(options.seeds)} seeds ran`)
  }
  if (hunted.sentence !== '') console.log(`    ${hunted.sentence}`)
}

function summary(hunted: readonly Hunted[]): void {
  const survivors = hunted.filter((each) => !isCaught(each)).map(({ mutant }) => mutant.name)
  const cutShort = hunted.filter((each) => each.cutShort).map(({ mutant }) => mutant.name)
  if (values.json) {
    const { length } = hunted
    console.log(JSON.stringify({ summary: { mutants: length, survivors, cutShort } }))
    return
  }
  const bySeeds = hunted.filter(({ seed }) => seed !== null).length
  console.log(
    [
      `${String(hunted.length)} mutants, ${String(survivors.length)} survive`,
      ...(options.seeds === 0 ? [] : [`${String(bySeeds)} fail a seed of the simulator as well`]),
      ...(cutShort.length === 0 ? [] : [`seeds CUT SHORT for ${cutShort.join(', ')}`]),
    ].join('; '),
  )
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    // Outside of a checkout there is no commit to name.
    return 'unknown'
  }
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
    if (values['write-docs']) {
      const date = new Date().toISOString().slice(0, 10)
      const page = mutantsPage(inOrder, { seeds: options.seeds, commit: commit(), date })
      writeFileSync(join(root, 'docs/mutants.md'), page)
    }
    summary(inOrder)
    return inOrder.length > 0 && inOrder.every(isCaught)
  } finally {
    for (const sandbox of sandboxes) sandbox.close()
  }
}

process.exitCode = (await huntAll()) ? 0 : 1
