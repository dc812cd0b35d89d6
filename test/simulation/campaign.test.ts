/** Seeds in threads, as `npm run simulate` runs them. Needs the build: a thread is a program. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runCampaign } from './campaign.js'
import { work, type Done, type Job } from './job.js'

const isBuilt = existsSync(fileURLToPath(new URL('./worker.js', import.meta.url)))
if (!isBuilt) {
  t.bailout('Run the compiled test: npm test -- simulation/campaign')
}

const change = { faultyMs: 2_000 }
const jobs: readonly Job[] = [
  { level: 'cluster', seed: 14, change, shrinks: false },
  { level: 'core', seed: 7, change, shrinks: false },
]

async function inThreads(seedMsMax?: number): Promise<readonly Done[]> {
  const ended: Done[] = []
  await runCampaign({
    jobs: jobs.values(),
    threads: 1,
    endsAtMs: Infinity,
    failuresMax: 5,
    ...(seedMsMax === undefined ? {} : { seedMsMax }),
    done: (done) => {
      ended.push(done)
    },
  })
  return ended
}

await t.test('a seed is the same run in a thread and outside of one', async (t) => {
  const outside: Done[] = []
  for (const job of jobs) outside.push(await work(job))
  t.same(await inThreads(), outside)
  t.ok(outside.every(({ kind }) => kind === 'passed'))
})

await t.test('a seed that does not end is ended, and counts as failed', async (t) => {
  const ended = await inThreads(1)
  t.equal(ended.length, jobs.length, 'the next one gets a thread of its own')
  for (const done of ended) t.match(done, { kind: 'failed', failure: { kind: 'a seed ends' } })
})
