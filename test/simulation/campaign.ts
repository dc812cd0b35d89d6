/** Many seeds over all cores: hands them out, gathers what comes back, and stops in time. */
import { Worker } from 'node:worker_threads'
import type { Done, Job } from './job.js'
import { levels } from './level.js'

export interface Campaign {
  /** In the order in which they are to run; may be endless. */
  readonly jobs: Iterator<Job>
  readonly threads: number
  /** By the monotonic clock of `performance`; nothing new starts after it. */
  readonly endsAtMs: number
  /** It ends early after so many failures. */
  readonly failuresMax: number
  /** Real time for one seed, shrinking included: who needs more stands still. */
  readonly seedMsMax?: number
  readonly done: (done: Done) => void
}

/** Far above what a seed and its shrinking need on a busy machine. */
const seedMsMaxDefault = 10 * 60_000

/** Resolves when every seed that was started has ended. Rejects when a thread itself fails. */
export async function runCampaign(campaign: Campaign): Promise<void> {
  const seedMsMax = campaign.seedMsMax ?? seedMsMaxDefault
  let failures = 0
  const next = (): Job | null => {
    if (failures >= campaign.failuresMax || performance.now() >= campaign.endsAtMs) return null
    const taken = campaign.jobs.next()
    return taken.done === true ? null : taken.value
  }
  const finish = (done: Done): void => {
    if (done.kind === 'failed') failures += 1
    campaign.done(done)
  }
  const thread = async (): Promise<void> => {
    let worker = startWorker()
    try {
      for (let job = next(); job !== null; job = next()) {
        const done = await workOn(worker, job, seedMsMax)
        if (done === null) {
          // What loops without end never sees a message: only the end of its thread stops it.
          await worker.terminate()
          worker = startWorker()
        }
        finish(done ?? stoodStill(job, seedMsMax))
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: campaign.threads }, thread))
}

function startWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url))
}

/** Null when the seed has not ended in time. */
function workOn(worker: Worker, job: Job, msMax: number): Promise<Done | null> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      const { level, seed } = job
      settle()
      reject(new Error(`${level} seed ${String(seed)}: the thread failed`, { cause: error }))
    }
    const ended = (done: Done): void => {
      settle()
      resolve(done)
    }
    const limit = setTimeout(() => {
      settle()
      resolve(null)
    }, msMax)
    const settle = (): void => {
      clearTimeout(limit)
      worker.off('message', ended)
      worker.off('error', failed)
    }
    worker.on('message', ended)
    worker.on('error', failed)
    worker.postMessage(job)
  })
}

function stoodStill(job: Job, msMax: number): Done {
  const kind = 'a seed ends'
  const message = `seed ${String(job.seed)}: ${kind}: this one has not within ${String(msMax / 1000)} s of real time`
  const options = levels[job.level].options(job.seed, job.change)
  const failure = { message, stack: '', kind, options, shrunk: job.change, shrinkRuns: 0 }
  return { job, kind: 'failed', failure }
}
