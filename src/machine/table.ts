/**
 * Typed tables under one journal. A command writes straight into the tables while the journal
 * remembers what stood there before; commit turns the journal into state writes and moves the
 * digest, drop puts everything back. Preview, the leader's check and apply are therefore the same
 * code, and an exception in the middle of a command leaves no trace.
 *
 * Rows are immutable: a change of a row is a new row. Nothing may depend on the order of a scan.
 */
import { CountersignError } from '../errors.js'
import { invariant } from '../invariant.js'
import { encodeCanonical } from '../signing/index.js'
import type { Json } from '../signing/index.js'
import { MultisetDigest, recordHash } from './digest.js'

/** One changed record for the state store; null deletes. */
export interface StateWrite {
  readonly key: string
  readonly value: Uint8Array | null
}

/** Keeps a derived index in step; called for each write, also when a draft is dropped. */
export type RowListener<Row> = (id: string, before: Row | undefined, after: Row | undefined) => void

/**
 * The same for an index of ids alone: called when an id comes or goes. A table that nobody follows
 * by row is read back at a start without decoding its rows.
 */
export type IdListener = (id: string, isThere: boolean) => void

export interface RowCodec<Row> {
  encode(row: Row): Json
  decode(json: Json): Row
}

interface AnyTable {
  readonly name: string
  restoreRow(id: string, row: unknown): void
  finishRow(id: string, before: unknown): StateWrite | undefined
}

export class Journal {
  private readonly touched = new Map<AnyTable, Map<string, unknown>>()
  private open = false
  readonly digest = new MultisetDigest()

  begin(): void {
    invariant(!this.open, 'A draft of the state is begun while another one is open.')
    this.open = true
  }

  /** Remembers the row that stood at `id` when the draft began. */
  note(table: AnyTable, id: string, before: unknown): void {
    invariant(this.open, 'The state is written outside a draft.', { table: table.name, id })
    let rows = this.touched.get(table)
    if (rows === undefined) {
      rows = new Map()
      this.touched.set(table, rows)
    }
    if (!rows.has(id)) rows.set(id, before)
  }

  commit(): readonly StateWrite[] {
    const writes: StateWrite[] = []
    for (const [table, rows] of this.touched) {
      for (const [id, before] of rows) {
        const write = table.finishRow(id, before)
        if (write !== undefined) writes.push(write)
      }
    }
    this.touched.clear()
    this.open = false
    return writes
  }

  drop(): void {
    for (const [table, rows] of this.touched) {
      for (const [id, before] of rows) table.restoreRow(id, before)
    }
    this.touched.clear()
    this.open = false
  }
}

/** For rows that are JSON as they stand. */
export function plainRows<Row>(): RowCodec<Row> {
  return { encode: (row) => row as unknown as Json, decode: (json) => json as unknown as Row }
}

export class Table<Row extends object> implements AnyTable {
  readonly name: string
  /** A row as it was stored stays so until somebody asks for it: most are never asked for. */
  private readonly rows = new Map<string, Row | Uint8Array>()
  /** Of rows written by this process; that of any other is worked out when it is replaced. */
  private readonly hashes = new Map<string, bigint>()
  private readonly journal: Journal
  private readonly codec: RowCodec<Row>
  private readonly listeners: RowListener<Row>[] = []
  private readonly idListeners: IdListener[] = []

  constructor(name: string, journal: Journal, codec: RowCodec<Row> = plainRows<Row>()) {
    this.name = name
    this.journal = journal
    this.codec = codec
  }

  listen(listener: RowListener<Row>): void {
    this.listeners.push(listener)
  }

  listenToIds(listener: IdListener): void {
    this.idListeners.push(listener)
  }

  get(id: string): Row | undefined {
    const row = this.rows.get(id)
    if (!(row instanceof Uint8Array)) return row
    // Kept, so that a row is the same object each time.
    const decoded = this.decode(id, row)
    this.rows.set(id, decoded)
    return decoded
  }

  has(id: string): boolean {
    return this.rows.has(id)
  }

  get size(): number {
    return this.rows.size
  }

  /** In no defined order. */
  *entries(): IterableIterator<[string, Row]> {
    for (const id of this.rows.keys()) {
      const row = this.get(id)
      if (row !== undefined) yield [id, row]
    }
  }

  put(id: string, row: Row): void {
    const before = this.get(id)
    this.journal.note(this, id, before)
    this.set(id, before, row)
  }

  delete(id: string): void {
    const before = this.get(id)
    if (before === undefined) return
    this.journal.note(this, id, before)
    this.set(id, before, undefined)
  }

  /**
   * Takes a stored record at a start, or drops it: no draft, no write. The bytes are kept. The digest
   * is the caller's business.
   */
  load(id: string, bytes: Uint8Array | null): void {
    if (this.listeners.length > 0) {
      this.set(id, this.get(id), bytes === null ? undefined : this.decode(id, bytes))
      return
    }
    const was = this.rows.has(id)
    if (bytes === null) this.rows.delete(id)
    else this.rows.set(id, bytes)
    if (was === (bytes !== null)) return
    for (const listener of this.idListeners) listener(id, bytes !== null)
  }

  /** One record as it is stored. */
  record(id: string): Uint8Array | undefined {
    const row = this.rows.get(id)
    return row === undefined ? undefined : this.encode(row)
  }

  /** Every record as it is stored, in no defined order. */
  *records(): IterableIterator<readonly [key: string, value: Uint8Array]> {
    for (const [id, row] of this.rows) yield [this.keyOf(id), this.encode(row)]
  }

  restoreRow(id: string, row: unknown): void {
    this.set(id, this.get(id), row as Row | undefined)
  }

  finishRow(id: string, before: unknown): StateWrite | undefined {
    const row = this.get(id)
    if (row === before) return undefined
    const key = this.keyOf(id)
    if (before !== undefined) {
      const known = this.hashes.get(id)
      this.journal.digest.remove(known ?? recordHash(key, this.encode(before as Row)))
    }
    if (row === undefined) {
      this.hashes.delete(id)
      return { key, value: null }
    }
    const value = this.encode(row)
    const hash = recordHash(key, value)
    this.hashes.set(id, hash)
    this.journal.digest.add(hash)
    return { key, value }
  }

  private keyOf(id: string): string {
    return `${this.name}/${id}`
  }

  private encode(row: Row | Uint8Array): Uint8Array {
    return row instanceof Uint8Array ? row : encodeCanonical(this.codec.encode(row))
  }

  private decode(id: string, bytes: Uint8Array): Row {
    return this.codec.decode(parseRecord(this.keyOf(id), bytes))
  }

  private set(id: string, before: Row | undefined, after: Row | undefined): void {
    if (after === undefined) this.rows.delete(id)
    else this.rows.set(id, after)
    for (const listener of this.listeners) listener(id, before, after)
    if ((before === undefined) === (after === undefined)) return
    for (const listener of this.idListeners) listener(id, after !== undefined)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseRecord(key: string, bytes: Uint8Array): Json {
  try {
    return JSON.parse(utf8.decode(bytes)) as Json
  } catch (cause) {
    throw new CountersignError('STORE_DAMAGED', `The state record ${key} is not JSON.`, {
      cause,
      details: { key },
    })
  }
}
