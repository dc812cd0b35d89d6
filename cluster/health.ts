/** The health check of a container: exit code 0 when the address answers with success. */
const [, , address] = process.argv

if (address === undefined) {
  console.error('Say what to ask, e.g. http://127.0.0.1:7300/readyz')
  process.exitCode = 2
} else {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(2500) })
    console.log(`${answer.status} ${await answer.text()}`)
    process.exitCode = answer.ok ? 0 : 1
  } catch (error) {
    console.error(`${address} does not answer: ${String(error)}`)
    process.exitCode = 1
  }
}
