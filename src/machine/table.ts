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
  private readonly rows = new Map<string, Row>()
  private readonly hashes = new Map<string, bigint>()
  private readonly journal: Journal
  private readonly codec: RowCodec<Row>
  private readonly listeners: RowListener<Row>[] = []

  constructor(name: string, journal: Journal, codec: RowCodec<Row> = plainRows<Row>()) {
    this.name = name
    this.journal = journal
    this.codec = codec
  }

  listen(listener: RowListener<Row>): void {
    this.listeners.push(listener)
  }

  get(id: string): Row | undefined {
    return this.rows.get(id)
  }

  has(id: string): boolean {
    return this.rows.has(id)
  }

  get size(): number {
    return this.rows.size
  }

  /** In no defined order. */
  entries(): IterableIterator<[string, Row]> {
    return this.rows.entries()
  }

  put(id: string, row: Row): void {
    const before = this.rows.get(id)
    this.journal.note(this, id, before)
    this.set(id, before, row)
  }

  delete(id: string): void {
    const before = this.rows.get(id)
    if (before === undefined) return
    this.journal.note(this, id, before)
    this.set(id, before, undefined)
  }

  /** Takes a stored record at start; no draft, no write. */
  load(id: string, bytes: Uint8Array): void {
    const row = this.codec.decode(parseRecord(`${this.name}/${id}`, bytes))
    const hash = recordHash(`${this.name}/${id}`, bytes)
    this.hashes.set(id, hash)
    this.journal.digest.add(hash)
    this.set(id, undefined, row)
  }

  /** Every record as it is stored, in no defined order. */
  *records(): IterableIterator<readonly [key: string, value: Uint8Array]> {
    for (const [id, row] of this.rows) yield [`${this.name}/${id}`, this.encode(row)]
  }

  restoreRow(id: string, row: unknown): void {
    this.set(id, this.rows.get(id), row as Row | undefined)
  }

  finishRow(id: string, before: unknown): StateWrite | undefined {
    const row = this.rows.get(id)
    if (row === before) return undefined
    const key = `${this.name}/${id}`
    const oldHash = this.hashes.get(id)
    if (oldHash !== undefined) this.journal.digest.remove(oldHash)
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

  private encode(row: Row): Uint8Array {
    return encodeCanonical(this.codec.encode(row))
  }

  private set(id: string, before: Row | undefined, after: Row | undefined): void {
    if (after === undefined) this.rows.delete(id)
    else this.rows.set(id, after)
    for (const listener of this.listeners) listener(id, before, after)
  }
}

function parseRecord(key: string, bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch (cause) {
    throw new CountersignError('STORE_DAMAGED', `The state record ${key} is not JSON.`, {
      cause,
      details: { key },
    })
  }
}
