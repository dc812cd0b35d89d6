/**
 * Where a search begins. From rest, a few thousand worlds reach little more than the first election;
 * so the searches also begin where the literature says that it gets hard. Every beginning is a world
 * that Raft itself can reach.
 */
import type { Beginning } from './model.js'

const fresh = { log: [], term: 0, votedFor: null }

export const beginnings: readonly Beginning[] = [
  { name: 'rest', nodes: [fresh, fresh, fresh] },
  {
    // Dissertation, figure 3.7 (c), with three nodes: `a` led term 2 and has its entry only on
    // itself, `b` led term 3 and has its entry only on itself; `a` may come back in term 4 and
    // replicate the entry of term 2 to a majority, which commits nothing.
    name: 'figure-3.7',
    nodes: [
      { log: [1, 2], term: 3, votedFor: null },
      { log: [1, 3], term: 3, votedFor: 'b' },
      { log: [1], term: 3, votedFor: 'b' },
    ],
  },
  {
    // A candidate of term 2 has its own vote on disk and asked nobody yet; another node voted for it.
    name: 'vote-on-its-way',
    nodes: [
      { log: [1], term: 2, votedFor: 'a' },
      { log: [1], term: 2, votedFor: 'a' },
      { log: [1], term: 1, votedFor: null },
    ],
  },
  {
    // Three logs of three terms: each conflicts with each.
    name: 'three-tails',
    nodes: [
      { log: [1, 1], term: 3, votedFor: null },
      { log: [1, 2], term: 3, votedFor: null },
      { log: [1, 3], term: 3, votedFor: 'c' },
    ],
  },
]
