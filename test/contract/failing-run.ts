/** Runs one case of a contract suite apart from the report: did it fail, as it must on a fault? */
import { Test } from 'tap'

export async function caseFails(name: string, run: (t: Test) => Promise<void>): Promise<boolean> {
  const apart = new Test({ name }) as unknown as Test
  apart.resume()
  try {
    await run(apart)
  } catch {
    return true
  }
  return !apart.passing()
}
