/** Service `Config` (proto/countersign/v1/config.proto): entries, history, watch. */
import type { EntryView, HistoryView, KeyStanding, WrittenPath } from '../machine/index.js'
import type {
  GetEntryRequest,
  GetEntryResponse,
  HistoryRequest,
  HistoryResponse,
  ListEntriesRequest,
  ListEntriesResponse,
  WatchRequest,
  WatchResponse,
} from './api-codec-types.js'
import {
  contentFromWire,
  contentToWire,
  oneOf,
  present,
  someNumber,
  standingContentFromWire,
  text,
} from './api-codec-values.js'
import { countersign, decodeBytes, encodeView, malformed, safeInteger } from './protobuf.js'

const v1 = countersign.v1
type V1Entry = countersign.v1.Entry.$Properties
type V1KeyStanding = countersign.v1.KeyStanding.$Properties
type V1HistoryItem = countersign.v1.HistoryItem.$Properties
type V1WrittenPath = countersign.v1.WrittenPath.$Properties

const keyStates = ['pending', 'waiting', 'active', 'revoked'] as const

export const getEntryRequest = {
  encode: (request: GetEntryRequest) => encodeView(v1.GetEntryRequest, { ...request }),
  decode(bytes: Uint8Array): GetEntryRequest {
    const wire = decodeBytes(v1.GetEntryRequest, bytes, 'The request')
    return { path: text(wire.path), local: wire.local }
  },
}

export const getEntryResponse = {
  encode: (answer: GetEntryResponse) =>
    encodeView(v1.GetEntryResponse, {
      entry: entryToWire(answer.entry),
      revision: answer.revision,
    }),
  decode(bytes: Uint8Array): GetEntryResponse {
    const wire = decodeBytes(v1.GetEntryResponse, bytes, 'The answer')
    return {
      entry: entryFromWire(present(wire.entry, 'entry')),
      revision: safeInteger(wire.revision, 'revision'),
    }
  },
}

export const listEntriesRequest = {
  encode: (request: ListEntriesRequest) => encodeView(v1.ListEntriesRequest, { ...request }),
  decode(bytes: Uint8Array): ListEntriesRequest {
    const wire = decodeBytes(v1.ListEntriesRequest, bytes, 'The request')
    return {
      prefix: text(wire.prefix),
      local: wire.local,
      limit: wire.limit,
      after: text(wire.after),
    }
  },
}

export const listEntriesResponse = {
  encode: (answer: ListEntriesResponse) =>
    encodeView(v1.ListEntriesResponse, {
      entries: answer.entries.map(entryToWire),
      revision: answer.revision,
      next: answer.next,
    }),
  decode(bytes: Uint8Array): ListEntriesResponse {
    const wire = decodeBytes(v1.ListEntriesResponse, bytes, 'The answer')
    return {
      entries: wire.entries.map(entryFromWire),
      revision: safeInteger(wire.revision, 'revision'),
      next: text(wire.next),
    }
  },
}

export const historyRequest = {
  encode: (request: HistoryRequest) => encodeView(v1.HistoryRequest, { ...request }),
  decode(bytes: Uint8Array): HistoryRequest {
    const wire = decodeBytes(v1.HistoryRequest, bytes, 'The request')
    return {
      path: text(wire.path),
      local: wire.local,
      limit: wire.limit,
      before: safeInteger(wire.before, 'before'),
    }
  },
}

export const historyResponse = {
  encode: (answer: HistoryResponse) =>
    encodeView(v1.HistoryResponse, {
      items: answer.items.map(historyItemToWire),
      revision: answer.revision,
    }),
  decode(bytes: Uint8Array): HistoryResponse {
    const wire = decodeBytes(v1.HistoryResponse, bytes, 'The answer')
    return {
      items: wire.items.map(historyItemFromWire),
      revision: safeInteger(wire.revision, 'revision'),
    }
  },
}

export const watchRequest = {
  encode: (request: WatchRequest) => encodeView(v1.WatchRequest, { ...request }),
  decode(bytes: Uint8Array): WatchRequest {
    const wire = decodeBytes(v1.WatchRequest, bytes, 'The request')
    const prefix = text(wire.prefix)
    // Explicit presence: after revision 0 is everything, absent is from now on.
    if (wire.afterRevision === null || wire.afterRevision === undefined) return { prefix }
    return { prefix, afterRevision: safeInteger(wire.afterRevision, 'after_revision') }
  },
}

export const watchResponse = {
  encode(answer: WatchResponse): Uint8Array {
    switch (answer.kind) {
      case 'started':
        return encodeView(v1.WatchResponse, { started: { revision: answer.revision } })
      case 'progress':
        return encodeView(v1.WatchResponse, { progress: { revision: answer.revision } })
      case 'batch': {
        const { revision, at, changeId, more } = answer
        const written = answer.written.map(writtenToWire)
        return encodeView(v1.WatchResponse, { batch: { revision, at, changeId, written, more } })
      }
    }
  },
  decode(bytes: Uint8Array): WatchResponse {
    const wire = decodeBytes(v1.WatchResponse, bytes, 'The answer')
    if (wire.started) {
      return { kind: 'started', revision: safeInteger(wire.started.revision, 'revision') }
    }
    if (wire.progress) {
      return { kind: 'progress', revision: safeInteger(wire.progress.revision, 'revision') }
    }
    if (wire.batch) {
      return {
        kind: 'batch',
        revision: safeInteger(wire.batch.revision, 'revision'),
        at: safeInteger(wire.batch.at, 'at'),
        changeId: text(wire.batch.changeId),
        written: (wire.batch.written ?? []).map(writtenFromWire),
        more: wire.batch.more ?? false,
      }
    }
    throw malformed('The watch message is of no known kind')
  },
}

/** Bytes that an entry takes in an answer, nearly: for pages that stay below a size. */
export function entryBytes(entry: EntryView): number {
  return encodeView(v1.Entry, entryToWire(entry)).length
}

export function historyItemBytes(item: HistoryView): number {
  return encodeView(v1.HistoryItem, historyItemToWire(item)).length
}

function entryToWire(entry: EntryView): V1Entry {
  return {
    path: entry.path,
    content: contentToWire(entry.content),
    createRevision: entry.createRevision,
    modRevision: entry.modRevision,
    changeId: entry.changeId,
    ...(entry.key === undefined ? {} : { key: entry.key }),
  }
}

function entryFromWire(wire: V1Entry): EntryView {
  return {
    path: text(wire.path),
    content: standingContentFromWire(wire.content, 'The content of an entry'),
    createRevision: safeInteger(wire.createRevision, 'create_revision'),
    modRevision: safeInteger(wire.modRevision, 'mod_revision'),
    changeId: text(wire.changeId),
    ...(wire.key ? { key: keyFromWire(wire.key) } : {}),
  }
}

function keyFromWire(wire: V1KeyStanding): KeyStanding {
  return {
    state: oneOf(keyStates, wire.state, 'key.state'),
    ...someNumber('registeredAt', wire.registeredAt),
    ...someNumber('acknowledgedAt', wire.acknowledgedAt),
    ...someNumber('countsFrom', wire.countsFrom),
  }
}

function historyItemToWire(item: HistoryView): V1HistoryItem {
  return { ...item, approvers: [...item.approvers], content: contentToWire(item.content) }
}

function historyItemFromWire(wire: V1HistoryItem): HistoryView {
  return {
    path: text(wire.path),
    modRevision: safeInteger(wire.modRevision, 'mod_revision'),
    previousModRevision: safeInteger(wire.previousModRevision, 'previous_mod_revision'),
    at: safeInteger(wire.at, 'at'),
    changeId: text(wire.changeId),
    title: text(wire.title),
    author: text(wire.author),
    approvers: wire.approvers ?? [],
    content: contentFromWire(wire.content, 'The content of a past write'),
  }
}

function writtenToWire(written: WrittenPath): V1WrittenPath {
  return { ...written, content: contentToWire(written.content) }
}

function writtenFromWire(wire: V1WrittenPath): WrittenPath {
  return {
    path: text(wire.path),
    modRevision: safeInteger(wire.modRevision, 'mod_revision'),
    previousModRevision: safeInteger(wire.previousModRevision, 'previous_mod_revision'),
    createRevision: safeInteger(wire.createRevision, 'create_revision'),
    content: contentFromWire(wire.content, 'The content of a written path'),
  }
}
