/** What a soak of so many minutes is to reach: the goals of an hour, scaled. */
import type { Figures } from './figures.js'
import { hourGoals } from './parts.js'

export interface Goal {
  readonly what: string
  readonly reached: number
  readonly wanted: number
}

export function goalsOf(figures: Figures, minutes: number): readonly Goal[] {
  const scaled = (anHour: number) => Math.round((anHour * minutes) / 60)
  return [
    { what: 'seeds simulated', reached: figures.seeds, wanted: scaled(hourGoals.seeds) },
    { what: 'faults simulated', reached: figures.faults, wanted: scaled(hourGoals.faults) },
    { what: 'nemeses passed', reached: figures.nemesesPassed, wanted: hourGoals.nemeses },
    {
      what: 'operations under chaos',
      reached: figures.operations,
      wanted: scaled(hourGoals.operations),
    },
    {
      what: 'mutants caught',
      reached: figures.mutants - figures.surviving.length,
      wanted: Math.max(1, figures.mutants),
    },
  ]
}
