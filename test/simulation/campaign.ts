/** Many seeds over all cores: hands them out, gathers what comes back, and stops in time. */
import { Worker } from 'node:worker_threads'
import type { Done, Job } from './job.js'

export interface Campaign {
  /** In the order in which they are to run; may be endless. */
  readonly jobs: Iterator<Job>
  readonly threads: number
  /** By the monotonic clock of `performance`; nothing new starts after it. */
  readonly endsAtMs: number
  /** It ends early after so many failures. */
  readonly failuresMax: number
  readonly done: (done: Done) => void
}

/** Resolves when every seed that was started has ended. Rejects when a thread itself fails. */
export async function runCampaign(campaign: Campaign): Promise<void> {
  let failures = 0
  const next = (): Job | null => {
    if (failures >= campaign.failuresMax || performance.now() >= campaign.endsAtMs) return null
    const taken = campaign.jobs.next()
    return taken.done === true ? null : taken.value
  }
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const first = next()
      if (first === null) {
        resolve()
        return
      }
      const worker = new Worker(new URL('./worker.js', import.meta.url))
      let atWork = first
      worker.on('message', (done: Done) => {
        if (done.kind === 'failed') failures += 1
        campaign.done(done)
        const job = next()
        if (job === null) {
          resolve(worker.terminate().then(() => undefined))
        } else {
          atWork = job
          worker.postMessage(job)
        }
      })
      worker.on('error', (error) => {
        const { level, seed } = atWork
        reject(new Error(`${level} seed ${String(seed)}: the thread failed`, { cause: error }))
      })
      worker.postMessage(first)
    })
  await Promise.all(Array.from({ length: campaign.threads }, thread))
}
