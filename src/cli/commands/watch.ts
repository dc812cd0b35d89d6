import type { Command } from 'commander'
import type { WatchEvent } from '../../client/index.js'
import type { OpenSession } from '../command-module.js'
import { escapeLine } from '../escape.js'
import { usage } from '../failures.js'
import { failureJson } from '../output.js'
import { contentLine } from '../present/content.js'
import { plainJson } from '../present/plain-json.js'
import { timeText } from '../present/time.js'

interface Options {
  readonly after?: string
  readonly initial?: true
}

export function define(command: Command, open: OpenSession): void {
  command
    .argument('[prefix]', 'a path, or a prefix ending in "/"', '/')
    .option('--after <revision>', 'begin after this revision instead of now')
    .option('--initial', 'first print what stands below the prefix, then what follows')
    .addHelpText('after', jsonHelp)
    .action(async (prefix: string, options: Options) => {
      const { output, client: connect, world } = open()
      const client = await connect()
      let isBroken = false
      const stop = new AbortController()
      const done = world.onInterrupt(() => {
        stop.abort()
      })
      try {
        let afterRevision = options.after === undefined ? undefined : parseRevision(options.after)
        if (options.initial === true) {
          const { value, revision } = await client.list(prefix)
          output.result({ event: 'initial', revision, entries: plainJson(value) }, () =>
            value.map((entry) => `${escapeLine(entry.path)} = ${contentLine(entry.content)}`),
          )
          afterRevision = revision
        }
        if (afterRevision !== undefined && options.initial !== true) {
          const { revision } = await client.listChanges({ limit: 1 })
          if (revision < afterRevision) {
            output.warn(
              `revision ${String(afterRevision)} is not reached yet, the cluster is at ${String(revision)}: what comes before is not shown`,
            )
          }
        }
        const events = client.watch({
          prefix,
          signal: stop.signal,
          ...(afterRevision === undefined ? {} : { afterRevision }),
        })
        for await (const event of events) show(event)
      } catch (thrown) {
        // Ctrl-C is how a person ends a watch: no failure.
        if (!stop.signal.aborted) throw thrown
      } finally {
        done()
      }

      function show(event: WatchEvent): void {
        const { style } = output
        switch (event.kind) {
          case 'started':
            isBroken = false
            output.note(
              output.remarkStyle.dim(
                `watching ${escapeLine(prefix)} at ${escapeLine(event.address)}, from revision ${String(event.revision)}`,
              ),
            )
            if (output.json) output.result({ event: 'started', revision: event.revision }, () => [])
            return
          case 'batch':
            output.result(
              {
                event: 'activation',
                revision: event.revision,
                at: event.at,
                changeId: event.changeId,
                more: event.more,
                written: plainJson(event.written),
              },
              () => [
                `${style.bold(String(event.revision))}  ${timeText(event.at)}  change ${event.changeId.slice(0, 8)}`,
                ...event.written.map((write) =>
                  write.content.kind === 'deleted'
                    ? `  ${style.red(escapeLine(write.path))} deleted`
                    : `  ${style.green(escapeLine(write.path))} = ${contentLine(write.content)}`,
                ),
              ],
            )
            return
          case 'progress':
            if (output.json)
              output.result({ event: 'progress', revision: event.revision }, () => [])
            return
          case 'resuming':
            // Once for an outage, however often it is tried again.
            if (!isBroken) output.warn(`${event.error.code}: no node serves the watch; trying on`)
            isBroken = true
            if (output.json) {
              output.result({ event: 'resuming', error: failureJson(event.error) }, () => [])
            }
            return
          case 'snapshot':
            output.warn('the log no longer keeps what was missed: this is all that stands now')
            output.result(
              { event: 'snapshot', revision: event.revision, entries: plainJson(event.entries) },
              () =>
                event.entries.map(
                  (entry) => `${escapeLine(entry.path)} = ${contentLine(entry.content)}`,
                ),
            )
            return
        }
      }
    })
}

const jsonHelp = `
With --json each event is one line; result.event is one of
  initial, started, activation, progress, resuming, snapshot.
To resume without a gap: --after <the last revision whose activation had "more": false>.`

function parseRevision(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`"${text}" is not a revision.`)
  return Number(text)
}
