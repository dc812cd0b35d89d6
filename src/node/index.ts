/** `countersign node` and `transfer`: read the configuration, compose, run. No logic. */
import { pino, type Logger } from 'pino'
import { loadNodeConfig, type NodeConfig } from '../config/index.js'
import { CountersignError, errorTable } from '../errors.js'
import { InvariantViolation } from '../invariant.js'
import { composeNode, composeTransfer } from './compose.js'
import type { TransferResult } from './transfer-command.js'

/**
 * Runs one node until SIGTERM or SIGINT, then resolves. Rejects when it cannot start. A node that
 * cannot go on logs why and ends the process with the exit code of the error: nothing restarts
 * inside the process.
 */
export async function runNode(configFile: string): Promise<void> {
  const config = await loadNodeConfig({ file: configFile, environment: process.env })
  const log = createLogger(config)
  const stopSignal = nextStopSignal()
  const stop = new AbortController()
  void stopSignal.then(() => {
    stop.abort()
  })
  const end = (thrown: unknown): void => {
    process.exit(reportFailure(log, thrown))
  }
  process.once('uncaughtException', end)
  const node = await composeNode({ config, log, failed: end, stop: stop.signal })
  log.info({ client: node.clientAddress, status: node.statusUrl }, 'serving')
  const signal = await stopSignal
  log.info({ signal }, 'stopping')
  await node.stop()
  process.off('uncaughtException', end)
}

/** Hands leadership over with the certificate of the node that this configuration belongs to. */
export async function transferLeadership(
  configFile: string,
  wish: { readonly to: string | null; readonly deadlineMs: number },
): Promise<TransferResult> {
  const config = await loadNodeConfig({ file: configFile, environment: process.env })
  return composeTransfer(config, wish)
}

function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal)
      })
    }
  })
}

function reportFailure(log: Logger, thrown: unknown): number {
  if (thrown instanceof InvariantViolation) {
    log.fatal({ facts: thrown.facts, stack: thrown.stack }, thrown.message)
    return errorTable.INTERNAL.exit
  }
  const { code, message, details, stack } = CountersignError.from(thrown)
  log.fatal({ code, details, ...(code === 'INTERNAL' ? { stack } : {}) }, message)
  return errorTable[code].exit
}

/** Lines are written at once: the last one before an exit is the one that matters. */
function createLogger(config: NodeConfig): Logger {
  const options = {
    level: config.log.level,
    base: { node: config.nodeId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return config.log.pretty
    ? pino(options, prettyLines(process.stdout))
    : pino(options, pino.destination({ dest: 1, sync: true }))
}

/** One readable line an event: time, level, message, facts. */
function prettyLines(out: NodeJS.WritableStream): { write(line: string): void } {
  return {
    write: (line) => {
      const { time, level, node, msg, ...facts } = JSON.parse(line) as Record<string, unknown>
      const rest = Object.entries(facts).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      const words = [time, String(level).toUpperCase().padEnd(5), node, msg, ...rest]
      out.write(`${words.join(' ')}\n`)
    },
  }
}
