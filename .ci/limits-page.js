/**
 * docs/limits.md. The numbers come from the program; here stand the words: for each limit what it
 * bounds, and what one gets above it. A limit without words, or words without a limit, fail.
 */

const invalid = '`BODY_INVALID`'
const tooLarge = '`TOO_LARGE`'
const badGenesis = '`GENESIS_INVALID`'
const waits = 'the sender waits'
const closed = 'the connection is closed'

/**
 * `rows`: name -> [what, above]. `same`: names that repeat a number of another room, because the
 * rooms may not import each other; they must be equal and are not shown twice.
 */
const sections = [
  {
    title: 'Signed messages and documents',
    source: 'src/approval/limits.ts',
    intro: 'Judged by every node for every entry; they are part of the replicated behaviour.',
    values: ({ approval }) => approval.limits,
    rows: {
      bodyBytesMax: ['one signed body', tooLarge],
      commandBytesMax: ['one command: body and detached parts together', tooLarge],
      genesisBytesMax: ['the founding document', badGenesis],
      opsMax: ['ops of a revision', invalid],
      assertsMax: ['paths in `asserts`', invalid],
      dependsOnMax: ['changes in `dependsOn`', invalid],
      triggersMax: ['names in `rollback.triggers`', invalid],
      titleBytesMax: ['title of a change, UTF-8', invalid],
      keyReferenceBytesMax: ['`keyReference` of a sealed value', invalid],
      deployRepositoryBytesMax: ['`deploy.repository`', invalid],
      deployRevisionBytesMax: ['`deploy.from` and `deploy.to`', invalid],
      stagesMax: ['stages of a change', invalid],
      stageShareMax: ['`share` of a stage, in percent', invalid],
      stageLabelsMax: ['labels of a stage', invalid],
      stageLabelBytesMax: ['name, and value, of such a label', invalid],
      provenanceBytesMax: ['`model`, `promptDigest` and `tool` of `provenance`, each', invalid],
      notAfterAheadMs: ['how far `notAfter` may lie ahead of log time', invalid],
      idLengthMax: ['characters of an id', invalid],
      pathBytesMax: ['a path; in a request for reading `INPUT_INVALID`', invalid],
      pathSegmentsMax: ['segments of a path; in a request for reading `INPUT_INVALID`', invalid],
      pathSegmentBytesMax: ['one segment; in a request for reading `INPUT_INVALID`', invalid],
      globDeepMax: ['`**` in one glob', invalid],
      durationDigitsMax: ['digits before one unit of a duration', invalid],
      rulesPerPolicyMax: ['rules of a policy', invalid],
      rulesInClusterMax: ['rules, groups and policies of a cluster', `${tooLarge}, ${badGenesis}`],
      rulesPerChangeMax: ['rules that bind one change', tooLarge],
      globsInClusterMax: ['globs of all rules together', `${tooLarge}, ${badGenesis}`],
      globalGlobsMax: ['globs of all rules with `distinct: global`', `${tooLarge}, ${badGenesis}`],
      sysGlobsMax: [
        'globs of all rules that may bind a change under `/sys/`',
        `${tooLarge}, ${badGenesis}`,
      ],
      seatsPerRuleMax: ['seats of a rule, at its highest tier', `${tooLarge}, ${badGenesis}`],
      seatsTogetherMax: [
        'seats that `distinct: global` has judged together',
        `${tooLarge}, ${badGenesis}`,
      ],
      globsPerRuleMax: ['globs of a rule', invalid],
      linesMax: ['lines in one `need`, `veto` or `by`', invalid],
      lineCountMax: ['`count` of a line', invalid],
      namesMax: ['names in one list of a rule', invalid],
      windowsMax: ['windows of a rule', invalid],
      noteCharactersMax: ['`note` of a rule, in characters', invalid],
      groupMembersMax: ['members of a group', invalid],
      groupPurposeBytesMax: ['`purpose` of a group', invalid],
      displayNameBytesMax: ['`displayName` of a person', invalid],
      scopeGlobsMax: ["globs in an agent's `scope`", invalid],
      quotaPerDayMax: ["`perDay` of an agent's quota", invalid],
      freezeGlobsMax: ['globs of a freeze', invalid],
      freezeReasonBytesMax: ['`reason` of a freeze', invalid],
      featureLevelNumberMax: ['`/sys/cluster/featureLevel`', invalid],
      nodesMax: ['nodes in genesis', badGenesis],
      nodeOwnerBytesMax: ['`owner` of a node', `${badGenesis}, ${invalid}`],
      addressBytesMax: ['`address` of a node', `${badGenesis}, ${invalid}`],
      votersMax: ['voters of a cluster', `\`VOTERS_UNSAFE\`, ${badGenesis}`],
      peopleInGenesisMax: ['people, and keys, in genesis', badGenesis],
      floorMax: ['a number of the floor', badGenesis],
      openChangesMax: ['`limits.openChanges` of a genesis', badGenesis],
      openChangesPerPersonMax: [
        "`limits.openChangesPerPerson` of a genesis; `open` of an agent's quota",
        `${badGenesis}, ${invalid}`,
      ],
      revisionsPerChangeMax: ['`limits.revisionsPerChange` of a genesis', badGenesis],
    },
  },
  {
    title: 'Chosen by a cluster',
    source: 'src/approval/limits.ts',
    intro: 'What `countersign init` writes into `limits` of genesis when nobody says otherwise.',
    values: ({ approval }) => approval.defaultChangeLimits,
    rows: {
      openChanges: ['open changes of the cluster', '`QUOTA_EXCEEDED`'],
      openChangesPerPerson: ['open changes of one author', '`QUOTA_EXCEEDED`'],
      revisionsPerChange: ['revisions of a change', '`QUOTA_EXCEEDED`'],
    },
  },
  {
    title: 'JSON',
    source: 'src/signing/canonical-json.ts',
    intro: 'Numbers beyond 2^53-1 are `VALUE_NOT_CANONICAL` too; write them as strings.',
    values: ({ json }) => json,
    rows: {
      valueDepthMax: ['arrays and objects inside each other in a value', '`VALUE_NOT_CANONICAL`'],
      documentDepthMax: ['the same in a whole signed body', '`VALUE_NOT_CANONICAL`'],
    },
  },
  {
    title: 'The client port of a node',
    source: 'src/api/limits.ts',
    intro: 'An allowance is what may come at once, and how much of it comes back each second.',
    values: ({ api: { defaultLimits, ...others } }) => ({ ...defaultLimits, ...others }),
    same: { bodyBytesMax: 'bodyBytesMax', commandBytesMax: 'commandBytesMax' },
    rows: {
      connectionsMax: [
        'connections; the oldest on which no call has begun makes room for a new one',
        'the new connection is closed',
      ],
      firstCallMs: ['until the first call of a connection', closed],
      unfinishedRequestsMax: [
        'requests that have begun and are not complete',
        'the oldest such connection is closed',
      ],
      requestTimeoutMs: ['until a request has arrived whole', closed],
      requestStreamsMax: ['calls with a stream of requests', '`BUSY`'],
      requestStreamsPerConnectionMax: ['the same on one connection', '`BUSY`'],
      streamsPerConnectionMax: ['calls of one connection, watches among them', waits],
      callsInFlightMax: ['calls that wait for the node', '`BUSY`'],
      watchQueueBytesMax: ['answers of one watch that wait for its reader', 'the watch pauses'],
      watchQueuesBytesMax: ['those of all watches', 'watches pause'],
      watchQueueBatchesMax: ['batches of one watch that wait for its reader', 'the watch pauses'],
      watchStallMs: ['without a read, while the queue is full', '`SLOW_WATCHER`'],
      watchProgressMs: ['between two signs of life of a silent watch', '-'],
      submitStreamWindow: ['unanswered messages on one ProposeStream', waits],
      noisePerConnection: ['refused messages that nobody has signed', '`RATE_LIMITED`'],
      noisePerAddress: ['the same from one address', '`RATE_LIMITED`'],
      refusalsPerPerson: ['refused messages that one key has signed', '`RATE_LIMITED`'],
      pageBytesMax: ['entries of one answer', 'a shorter page'],
      keepaliveMs: ['between pings', '-'],
      keepaliveTimeoutMs: ['until a ping is answered', closed],
      connectionAgeMs: ['life of a connection', 'it is asked to go elsewhere'],
      connectionAgeGraceMs: ['for its calls to end after that', closed],
      stopGraceMs: ['for running calls when the node stops', '`NODE_STOPPING`'],
      receiveBytesMax: ['one gRPC message', 'gRPC `RESOURCE_EXHAUSTED`, `TOO_LARGE` in our client'],
      detachedPartsMax: ['detached parts of one message', tooLarge],
      payloadTypeBytesMax: ['a payload type', '`BAD_TYPE`'],
      keyIdLength: ['a key id, in characters, exactly', invalid],
      signatureBytes: ['a signature, exactly', '`BAD_SIGNATURE`'],
      listLimitMax: ['`limit` of a request for a list', '`INPUT_INVALID`'],
      listStatesMax: ['`states` of a request for a list of changes', '`INPUT_INVALID`'],
    },
  },
  {
    title: 'The peer port of a node',
    source:
      'src/wire/limits.ts, src/transport/limits.ts, src/transport/options.ts, src/node/limits.ts',
    intro: 'Nobody but the nodes of the cluster gets beyond the first of these.',
    values: ({ wire, transport, timing, node }) => ({ ...transport, ...wire, ...timing, ...node }),
    rows: {
      strangersMax: ['connections that have not said a good Hello', 'the oldest one is cut'],
      unflushedFramesMax: ['frames in a stream before messages queue', 'they queue'],
      unflushedBytesMax: ['bytes in a stream before messages queue', 'they queue'],
      queuedMessagesMax: [
        'messages that wait for one peer',
        'the stream is given up, a new one made',
      ],
      queuedBytesMax: ['bytes that wait for one peer', 'the stream is given up, a new one made'],
      messageBytesMax: ['one gRPC message', 'the stream ends'],
      frameBytesTarget: ['messages gathered in one frame', 'another frame'],
      wordLengthMax: ['an identifier or address in a frame', 'the stream ends'],
      frameMessagesMax: ['messages in one frame', 'another frame; the receiver ends the stream'],
      configurationIdsMax: [
        'nodes named in one configuration of an offered snapshot',
        'the stream ends',
      ],
      fetchesMax: ['snapshots and ranges of entries handed out at one time', '`BUSY`'],
      fetchesOfOneMax: ['of these to one peer', '`BUSY`'],
      fetchedPartBytesMax: ['one part of a fetched snapshot', 'another part'],
      fetchStallMs: ['without a part, or without a read of it', 'the fetch is given up'],
      removedGraceMs: ['for a removed node to hear of its removal', closed],
      helloTimeoutMs: ['TCP, TLS and Hello together', closed],
      backoffMinMs: ['first wait before dialling again', '-'],
      backoffMaxMs: ['longest wait before dialling again', '-'],
      keepaliveMs: ['between pings', '-'],
      introducedMax: [
        'nodes that introduced themselves and are not in the log yet',
        'the next one is not dialled',
      ],
      leaderWaitMs: ['that a command or a read is held while no leader is known', '`NOT_LEADER`'],
    },
  },
  {
    title: 'The status port of a node',
    source: 'src/status/limits.ts',
    intro: 'Plain HTTP.',
    values: ({ status }) => status,
    rows: {
      connectionsMax: ['connections', 'the new one is closed'],
      bodyBytesMax: ['body of a request', tooLarge],
      headerBytesMax: ['head of a request', 'HTTP 431'],
      requestTimeoutMs: ['until a request has arrived whole', 'HTTP 408'],
      keepAliveTimeoutMs: ['of silence on a connection', closed],
      changesListedMax: ['`limit` of `/changes`', '`INPUT_INVALID`'],
      pathsShownMax: ['paths shown of one change', 'the rest is counted'],
      candidatesShownMax: ['people shown for one seat', 'the rest is left out'],
      liveListenersMax: ['readers of `/events`', '`BUSY`'],
      liveStuckAfterMs: ['without a read of `/events`', closed],
    },
  },
]

export function limitsPage(modules) {
  const { settings, ...rooms } = modules
  const parts = sections.map((section) => [
    `## ${section.title}`,
    '',
    section.intro,
    '',
    '| limit | value | of what | above it |',
    '|---|---|---|---|',
    ...rowsOf(section, section.values(rooms), rooms.approval.limits),
    '',
  ])
  return [
    '<!-- Made from src/*/limits.ts and .ci/limits-page.js by `npm run generate`. Do not edit. -->',
    '',
    '# Limits',
    '',
    'Everything that comes from outside is bounded, and says so by a code of [errors.md](errors.md).',
    'Names ending in `Bytes...` count bytes, in `Ms` milliseconds, others things.',
    '',
    ...parts.flat(),
    '## Set in the configuration of a node',
    '',
    'Defaults; [configuration.md](configuration.md) has the bounds within which they can be set.',
    '',
    '| key | default | meaning |',
    '|---|---|---|',
    ...Object.entries(settings)
      .filter(([key]) => /(Bytes|Messages|InFlight|watchers)Max$/.test(key))
      .map(([key, one]) => `| \`${key}\` | ${valueText(key, one.default)} | ${one.description} |`),
    '',
  ].join('\n')
}

function rowsOf({ source, rows, same = {} }, values, signed) {
  for (const name of Object.keys(rows)) {
    if (!(name in values))
      throw new Error(`.ci/limits-page.js describes ${name}; ${source} has none.`)
  }
  for (const [name, value] of Object.entries(values)) {
    const other = same[name]
    if (other === undefined) {
      if (name in rows) continue
      throw new Error(`${name} of ${source} has no row in .ci/limits-page.js.`)
    }
    if (signed[other] === value) continue
    throw new Error(`${name} of ${source} differs from ${other} of src/approval/limits.ts.`)
  }
  return Object.entries(rows).map(
    ([name, [what, above]]) =>
      `| \`${name}\` | ${valueText(name, values[name])} | ${what} | ${above} |`,
  )
}

function valueText(name, value) {
  if (typeof value === 'object') return `${value.burst} at once, ${value.perSecond} a second`
  if (/Bytes/.test(name)) return bytesText(value)
  if (/Ms$/.test(name)) return timeText(value)
  return value.toLocaleString('en')
}

function bytesText(bytes) {
  const units = [
    ['MiB', 1024 * 1024],
    ['KiB', 1024],
  ]
  const [unit, size] = units.find(([, size]) => bytes >= size) ?? ['bytes', 1]
  return `${bytes / size} ${unit}`
}

function timeText(ms) {
  const units = [
    ['days', 86_400_000],
    ['min', 60_000],
    ['s', 1000],
  ]
  const [unit, size] = units.find(([, size]) => ms >= size) ?? ['ms', 1]
  return `${ms / size} ${unit}`
}
