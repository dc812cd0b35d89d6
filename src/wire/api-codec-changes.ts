/** Service `Changes` (proto/countersign/v1/changes.proto): requests and answers. */
import type { DiffView, MachineEvent } from '../machine/index.js'
import {
  changeFromWire,
  changeToWire,
  explanationFromWire,
  explanationToWire,
  summaryFromWire,
  summaryToWire,
} from './api-codec-change-view.js'
import type {
  Accepted,
  GetChangeRequest,
  GetChangeResponse,
  ListChangesRequest,
  ListChangesResponse,
  NumberedAnswer,
  NumberedMessage,
  PreviewResponse,
  SignedMessage,
} from './api-codec-types.js'
import {
  changeStates,
  contentToWire,
  oneOf,
  present,
  refusalFromWire,
  refusalToWire,
  rulesFromWire,
  rulesToWire,
  signedMessageFromWire,
  signedMessageToWire,
  someNumber,
  someText,
  standingContentFromWire,
  text,
} from './api-codec-values.js'
import { isErrorCode } from '../errors.js'
import { countersign, decodeBytes, encodeView, malformed, safeInteger } from './protobuf.js'

const v1 = countersign.v1
type V1Accepted = countersign.v1.SubmitResponse.$Properties
type V1Diff = countersign.v1.DiffItem.$Properties
type V1Transition = countersign.v1.PreviewedTransition.$Properties
type StateChanged = Extract<MachineEvent, { kind: 'stateChanged' }>

export const submitRequest = {
  encode: (message: SignedMessage) =>
    encodeView(v1.SubmitRequest, { message: signedMessageToWire(message) }),
  decode(bytes: Uint8Array): SignedMessage {
    return signedMessageFromWire(decodeBytes(v1.SubmitRequest, bytes, 'The request').message)
  },
}

export const submitResponse = {
  encode: (accepted: Accepted) => encodeView(v1.SubmitResponse, acceptedToWire(accepted)),
  decode: (bytes: Uint8Array): Accepted =>
    acceptedFromWire(decodeBytes(v1.SubmitResponse, bytes, 'The answer')),
}

export const streamRequest = {
  encode: (request: NumberedMessage) =>
    encodeView(v1.StreamSubmitRequest, {
      number: request.number,
      message: signedMessageToWire(request.message),
    }),
  decode(bytes: Uint8Array): NumberedMessage {
    const wire = decodeBytes(v1.StreamSubmitRequest, bytes, 'The request')
    return {
      number: safeInteger(wire.number, 'number'),
      message: signedMessageFromWire(wire.message),
    }
  },
}

export const streamResponse = {
  encode({ number, result }: NumberedAnswer): Uint8Array {
    return result.kind === 'accepted'
      ? encodeView(v1.StreamSubmitResponse, { number, accepted: acceptedToWire(result.accepted) })
      : encodeView(v1.StreamSubmitResponse, { number, refused: refusalToWire(result.refusal) })
  },
  decode(bytes: Uint8Array): NumberedAnswer {
    const wire = decodeBytes(v1.StreamSubmitResponse, bytes, 'The answer')
    const number = safeInteger(wire.number, 'number')
    if (wire.accepted) {
      return { number, result: { kind: 'accepted', accepted: acceptedFromWire(wire.accepted) } }
    }
    if (wire.refused) {
      return { number, result: { kind: 'refused', refusal: refusalFromWire(wire.refused) } }
    }
    throw malformed('The answer on the stream has no result')
  },
}

export const getChangeRequest = {
  encode: (request: GetChangeRequest) => encodeView(v1.GetChangeRequest, { ...request }),
  decode(bytes: Uint8Array): GetChangeRequest {
    const wire = decodeBytes(v1.GetChangeRequest, bytes, 'The request')
    return {
      changeId: text(wire.changeId),
      local: wire.local,
      asker: text(wire.asker),
    }
  },
}

export const getChangeResponse = {
  encode: (answer: GetChangeResponse) =>
    encodeView(v1.GetChangeResponse, {
      change: changeToWire(answer.change),
      revision: answer.revision,
    }),
  decode(bytes: Uint8Array): GetChangeResponse {
    const wire = decodeBytes(v1.GetChangeResponse, bytes, 'The answer')
    return {
      change: changeFromWire(present(wire.change, 'change')),
      revision: safeInteger(wire.revision, 'revision'),
    }
  },
}

export const listChangesRequest = {
  encode: (request: ListChangesRequest) =>
    encodeView(v1.ListChangesRequest, { ...request, states: [...request.states] }),
  decode(bytes: Uint8Array): ListChangesRequest {
    const wire = decodeBytes(v1.ListChangesRequest, bytes, 'The request')
    return {
      states: wire.states,
      prefix: text(wire.prefix),
      author: text(wire.author),
      limit: wire.limit,
      before: safeInteger(wire.before, 'before'),
      local: wire.local,
    }
  },
}

export const listChangesResponse = {
  encode: (answer: ListChangesResponse) =>
    encodeView(v1.ListChangesResponse, {
      changes: answer.changes.map(summaryToWire),
      revision: answer.revision,
      next: answer.next,
    }),
  decode(bytes: Uint8Array): ListChangesResponse {
    const wire = decodeBytes(v1.ListChangesResponse, bytes, 'The answer')
    return {
      changes: wire.changes.map(summaryFromWire),
      revision: safeInteger(wire.revision, 'revision'),
      next: safeInteger(wire.next, 'next'),
    }
  },
}

export const previewResponse = {
  encode({ preview, revision }: PreviewResponse): Uint8Array {
    const { result, explanation } = preview
    return encodeView(v1.PreviewResponse, {
      ...(result.kind === 'refused' ? { refused: refusalToWire(result.refusal) } : {}),
      diff: preview.diff.map(diffToWire),
      rulesJson: rulesToWire(preview.rules),
      rulesDigest: preview.rulesDigest,
      ...(explanation === undefined ? {} : { explanation: explanationToWire(explanation) }),
      transitions: preview.events.filter(isStateChanged).map(transitionToWire),
      revision,
    })
  },
  decode(bytes: Uint8Array): PreviewResponse {
    const wire = decodeBytes(v1.PreviewResponse, bytes, 'The answer')
    return {
      preview: {
        result: wire.refused
          ? { kind: 'refused', refusal: refusalFromWire(wire.refused) }
          : { kind: 'accepted' },
        diff: wire.diff.map(diffFromWire),
        rules: rulesFromWire(wire.rulesJson),
        rulesDigest: text(wire.rulesDigest),
        ...(wire.explanation ? { explanation: explanationFromWire(wire.explanation) } : {}),
        events: wire.transitions.map(transitionFromWire),
      },
      revision: safeInteger(wire.revision, 'revision'),
    }
  },
}

function acceptedToWire(accepted: Accepted): V1Accepted {
  return {
    changeId: accepted.changeId ?? '',
    revision: accepted.revision ?? 0,
    state: accepted.state ?? '',
    index: accepted.index,
    activatedAt: accepted.activatedAt ?? 0,
    repeatedMessage: accepted.repeated,
  }
}

function acceptedFromWire(wire: V1Accepted): Accepted {
  return {
    ...someText('changeId', wire.changeId),
    ...someNumber('revision', wire.revision),
    ...(text(wire.state) === '' ? {} : { state: oneOf(changeStates, wire.state, 'state') }),
    index: safeInteger(wire.index, 'index'),
    ...someNumber('activatedAt', wire.activatedAt),
    repeated: wire.repeatedMessage ?? false,
  }
}

function diffToWire(diff: DiffView): V1Diff {
  return {
    path: diff.path,
    modRevision: diff.modRevision,
    ...(diff.before === undefined ? {} : { before: contentToWire(diff.before) }),
    ...(diff.after === undefined ? {} : { after: contentToWire(diff.after) }),
  }
}

function diffFromWire(wire: V1Diff): DiffView {
  return {
    path: text(wire.path),
    modRevision: safeInteger(wire.modRevision, 'mod_revision'),
    ...(wire.before ? { before: standingContentFromWire(wire.before, 'before') } : {}),
    ...(wire.after ? { after: standingContentFromWire(wire.after, 'after') } : {}),
  }
}

function isStateChanged(event: MachineEvent): event is StateChanged {
  return event.kind === 'stateChanged'
}

function transitionToWire(event: StateChanged): V1Transition {
  const { changeId, from, to } = event
  return { changeId, from, to, code: event.code ?? '', message: event.message ?? '' }
}

function transitionFromWire(wire: V1Transition): StateChanged {
  const code = text(wire.code)
  return {
    kind: 'stateChanged',
    changeId: text(wire.changeId),
    from: oneOf(changeStates, wire.from, 'from'),
    to: oneOf(changeStates, wire.to, 'to'),
    ...(isErrorCode(code) ? { code } : {}),
    ...someText('message', wire.message),
  }
}
