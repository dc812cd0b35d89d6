/**
 * One set-up at a time: `npm start` in one terminal and `npm test` in another would otherwise
 * install and build over each other. The lock is a file that holds the owner's process id.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** No set-up takes this long: the owner's process id belongs to another program by now. */
const abandonedAfterMs = 20 * 60 * 1000

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** Removes the lock of an owner that is gone; moved aside first, so that only one does it. */
function dropAbandoned(file) {
  try {
    const owner = Number(readFileSync(file, 'utf8'))
    const age = Date.now() - statSync(file).mtimeMs
    // An empty file is a lock whose owner has not written its id yet; give it a second.
    const gone = owner === 0 ? age > 1000 : !isAlive(owner) || age > abandonedAfterMs
    if (!gone) return
    const aside = `${file}.${process.pid}`
    renameSync(file, aside)
    // Another one was faster, and what was moved is its fresh lock: give it back.
    if (Number(readFileSync(aside, 'utf8')) !== owner) renameSync(aside, file)
    rmSync(aside, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

/** Runs `job` while holding `file`; waits for another owner that is alive. */
export async function withLock(file, job) {
  for (let round = 0; !take(file); round += 1) {
    dropAbandoned(file)
    if (round === 5) console.error('Waiting for another set-up of this clone to end ...')
    await delay(200)
  }
  try {
    await job()
  } finally {
    rmSync(file, { force: true })
  }
}
