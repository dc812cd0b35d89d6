/** A thread of a campaign: one seed after the other, as they are handed in. */
import { parentPort } from 'node:worker_threads'
import { work, type Job } from './job.js'

const port = parentPort
if (port === null) throw new Error('worker.ts runs as a thread of main.ts.')

port.on('message', (job: Job) => {
  void work(job).then((done) => {
    port.postMessage(done)
  })
})
