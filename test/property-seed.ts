/**
 * Properties (fast-check) run the same cases each time, so that a red run can be repeated and a merge
 * does not fail by luck. PROPERTY_SEED=N looks at other cases; a failure prints its seed.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? '1') })
