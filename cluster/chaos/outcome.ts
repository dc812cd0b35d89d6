/** What an error says about a write: certainly without effect, or nobody knows. */
const open: readonly string[] = [
  'UNKNOWN_OUTCOME',
  'UNREACHABLE',
  'NO_QUORUM',
  'CANCELLED',
  'INTERNAL',
]

export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  // No error of the cluster: a fault of this program must not pass as one of the network.
  throw error
}

export function isOpen(error: unknown): boolean {
  return open.includes(codeOf(error))
}
