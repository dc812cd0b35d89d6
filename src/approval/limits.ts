/**
 * Every limit of signed content, in one table: docs and tests read it too. Limits on people's
 * behaviour that a cluster may choose stand in its genesis (`limits` there); the figures here bound
 * that choice.
 */
export const limits = {
  /** One signed body. The audit leaf carries it in base64 and holds at most 60,000 bytes. */
  bodyBytesMax: 40 * 1024,
  /** One command with its detached parts. */
  commandBytesMax: 1024 * 1024,
  genesisBytesMax: 1024 * 1024,
  opsMax: 256,
  assertsMax: 256,
  dependsOnMax: 64,
  triggersMax: 32,
  titleBytesMax: 200,
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
  rulesPerChangeMax: 32,
  seatsPerRuleMax: 64,
  globsPerRuleMax: 32,
  linesMax: 8,
  lineCountMax: 16,
  namesMax: 32,
  windowsMax: 16,
  noteCharactersMax: 1000,
  groupMembersMax: 1000,
  scopeGlobsMax: 64,
  freezeGlobsMax: 32,

  nodesMax: 64,
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
