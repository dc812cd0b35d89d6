/**
 * Every limit of signed content, in one table: docs and tests read it too. Limits on people's
 * behaviour that a cluster may choose stand in its genesis (`limits` there); the figures here bound
 * that choice.
 */
export const limits = {
  /** One signed body. In base64 it fits a log leaf of at most 65,535 bytes (C2SP tlog-tiles). */
  bodyBytesMax: 40 * 1024,
  /** One command with its detached parts. */
  commandBytesMax: 1024 * 1024,
  genesisBytesMax: 1024 * 1024,
  opsMax: 256,
  assertsMax: 256,
  dependsOnMax: 64,
  triggersMax: 32,
  titleBytesMax: 200,
  /** Names the key outside the cluster that opens a sealed value. */
  keyReferenceBytesMax: 200,
  deployRepositoryBytesMax: 200,
  /** `from` and `to`: a SHA-256 in hex fits. */
  deployRevisionBytesMax: 64,
  stagesMax: 8,
  /** Percent. */
  stageShareMax: 100,
  stageLabelsMax: 8,
  stageLabelBytesMax: 64,
  /** Each of `model`, `promptDigest` and `tool`. */
  provenanceBytesMax: 200,
  /** How far ahead of log time `notAfter` may lie. */
  notAfterAheadMs: 30 * 24 * 60 * 60 * 1000,

  idLengthMax: 63,
  pathBytesMax: 512,
  pathSegmentsMax: 32,
  pathSegmentBytesMax: 128,
  /** `**` in one glob. */
  globDeepMax: 2,
  /** Digits before a unit; 99,999 days are more than a lifetime. */
  durationDigitsMax: 5,

  rulesPerPolicyMax: 64,
  rulesInClusterMax: 1000,
  /** That bind one change. */
  rulesPerChangeMax: 32,
  /** With 256 paths in a change and 1,000 rules this bounds the work of one index. */
  globsInClusterMax: 4000,
  /** In rules with `distinct: global`, which are judged together with all that they may meet. */
  globalGlobsMax: 64,
  /** In rules that may bind a change under `/sys/`: each name spelled there is tried. */
  sysGlobsMax: 128,
  seatsPerRuleMax: 64,
  /** Judged together, because of `distinct: global`. */
  seatsTogetherMax: 2048,
  globsPerRuleMax: 32,
  linesMax: 8,
  lineCountMax: 16,
  namesMax: 32,
  windowsMax: 16,
  noteCharactersMax: 1000,
  groupMembersMax: 1000,
  groupPurposeBytesMax: 200,
  displayNameBytesMax: 100,
  scopeGlobsMax: 64,
  /** Of one agent, so that a quota is a bound at all. */
  quotaPerDayMax: 100_000,
  freezeGlobsMax: 32,
  freezeReasonBytesMax: 500,
  /** Far above any level that will be, and far below where arithmetic ends. */
  featureLevelNumberMax: 1_000_000,

  nodesMax: 64,
  nodeOwnerBytesMax: 100,
  /** A DNS name has at most 253 characters. */
  addressBytesMax: 255,
  /** A larger quorum makes each commit slower and the cluster no safer in practice. */
  votersMax: 9,
  peopleInGenesisMax: 1000,
  floorMax: 16,
  openChangesMax: 10_000,
  openChangesPerPersonMax: 1000,
  revisionsPerChangeMax: 64,
} as const

/** What `countersign init` writes into a genesis when nobody says otherwise. */
export const defaultChangeLimits = {
  openChanges: 1000,
  openChangesPerPerson: 100,
  revisionsPerChange: 16,
} as const
