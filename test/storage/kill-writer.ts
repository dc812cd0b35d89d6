/** A process that writes entries until it is killed, and says what was acknowledged. */
import { batch, entry } from '../contract/log-store.js'
import { openAt } from './data.js'

const { logStore } = await openAt(process.argv[2] ?? '')
await logStore.write(batch({ term: 1 }))
for (let index = 1; ; index += 1) {
  await logStore.write(batch({ entries: [entry(index, 1)] }))
  process.send?.(index)
}
