/**
 * The page of one node. It listens to /events and draws what it hears. Everything from the cluster
 * is put in as text, never as markup.
 */

/** The node speaks at least once a second; longer silence means that it does not answer. */
const silentAfterMs = 4000
const reconnectAfterMs = 2000
const pathsShown = 6

const byId = (id) => document.getElementById(id)

let source = null
let lastHeardMs = 0
let lostSince = null

function listen() {
  source = new EventSource('/events')
  source.addEventListener('snapshot', (event) => {
    heard()
    draw(JSON.parse(event.data))
  })
  source.addEventListener('trouble', (event) => {
    heard()
    const { code, message } = JSON.parse(event.data)
    showTrouble(`The node answers, but cannot show its state: ${code}: ${message}`)
  })
  source.addEventListener('error', () => {
    lost()
    // After an HTTP error the browser gives up for good; after a broken connection it comes back.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, reconnectAfterMs)
  })
}

function heard() {
  lastHeardMs = performance.now()
  lostSince = null
  document.body.dataset.connection = 'live'
  showBadge(byId('connection'), 'live', 'good')
  showTrouble(null)
}

function lost() {
  if (lostSince === null) lostSince = new Date()
  document.body.dataset.connection = 'lost'
  showBadge(byId('connection'), 'not reachable', 'bad')
  const since = clockTime(lostSince)
  showTrouble(
    lastHeardMs === 0
      ? 'This node does not answer. Trying again; another node may know more.'
      : `This node has not answered since ${since}. What you see below is old. Trying again; ` +
          'another node may know more.',
  )
}

setInterval(() => {
  if (lastHeardMs > 0 && performance.now() - lastHeardMs > silentAfterMs) lost()
}, 1000)

function showTrouble(text) {
  const element = byId('trouble')
  element.hidden = text === null
  if (text !== null && element.textContent !== text) element.textContent = text
}

function showBadge(element, text, tone) {
  element.className = `badge ${tone}`
  if (element.textContent !== text) element.textContent = text
}

function draw({ status, changes }) {
  const { node, cluster, leader, indexes } = status
  document.title = `${cluster.name} – ${node.id}`
  setText('cluster-name', cluster.name)
  setText('node-id', node.id)
  setText('leader', leader === null ? 'none' : leader.id)
  setText('term', String(status.term))
  setText('commit', String(indexes.commit))
  byId('applied').replaceChildren(...appliedParts(indexes))
  drawTime(status.logTimeMs)
  setText('digest', status.stateDigest.slice(0, 12))
  byId('digest').title = status.stateDigest
  byId('digest').className = 'mono'
  setText('build', `Countersign ${node.version}, feature level ${cluster.featureLevel}`)
  if (!node.ready) showBadge(byId('connection'), 'live, not ready', 'wait')
  drawNodes(status)
  drawCounts(status.changes.byState)
  byId('changes').replaceChildren(...changes.map(changeItem))
  byId('no-changes').hidden = changes.length > 0
}

function appliedParts({ applied, commit }) {
  const behind = commit - applied
  const note = element('span', { className: 'quiet' }, ` ${behind} behind`)
  return behind === 0 ? [String(applied)] : [String(applied), note]
}

function drawTime(ms) {
  const element = byId('log-time')
  if (ms === 0) {
    element.textContent = 'not set yet'
    return
  }
  const time = new Date(ms)
  element.replaceChildren(timeElement(time, clockTime(time)))
}

function drawNodes(status) {
  const rows = status.cluster.members.map((member) => {
    const peer = status.peers.find((candidate) => candidate.id === member.id)
    return member.id === status.node.id ? ownRow(status, member) : peerRow(status, member, peer)
  })
  byId('nodes').replaceChildren(...rows)
  const note = byId('lag-note')
  note.hidden = status.role === 'leader'
  note.textContent =
    status.leader === null
      ? 'No leader is known: nothing can be committed until a majority of nodes elects one.'
      : `How far the others are is known to the leader, ${status.leader.id}.`
}

function ownRow(status, member) {
  const { commit, applied, last } = status.indexes
  const behind = commit - applied
  return row(`${status.node.id} (this node)`, [
    ['Role', roleBadge(status.role, member)],
    ['Link', '–'],
    ['Lag', behind === 0 ? 'none' : `${behind} to apply`],
    ['Holds', String(last)],
    ['Heard', '–'],
  ])
}

function peerRow(status, member, peer) {
  const { id } = member
  const replication = peer?.replication ?? null
  const isLeader = status.leader !== null && status.leader.id === id
  const isFollower = status.leader !== null && peer?.connected
  const role = isLeader ? 'leader' : isFollower ? 'follower' : 'unknown'
  const link = peer?.connected
    ? badge('connected', 'good')
    : badge('no connection', 'bad', peer?.lastError ?? undefined)
  return row(id, [
    ['Role', roleBadge(role, member)],
    ['Link', link],
    ['Lag', replication === null ? '–' : lagText(replication)],
    ['Holds', replication === null ? '–' : String(replication.matchIndex)],
    ['Heard', replication === null ? '–' : `${duration(replication.silentMs)} ago`],
  ])
}

/** While the leader still probes it knows only what the peer may lack at most. */
function lagText({ lag, state, catchUp }) {
  if (state === 'snapshot') return 'gets a snapshot'
  if (catchUp !== null && !catchUp.caughtUp) return `${lag}, round ${catchUp.rounds}`
  if (lag === 0) return 'none'
  const entries = lag === 1 ? '1 entry' : `${lag} entries`
  return state === 'probe' ? `up to ${entries}` : entries
}

/** How it takes part, where that is not as an ordinary voter, and what it does. */
function roleBadge(role, member) {
  if (role === 'follower' && member.role === 'learner') return badge('learner', 'plain')
  const leaves = member.role === 'outgoing' ? ', leaving' : ''
  return badge(`${role}${leaves}`, roleTone(role))
}

function roleTone(role) {
  if (role === 'leader') return 'good'
  return role === 'follower' ? 'plain' : 'wait'
}

function drawCounts(byState) {
  const items = Object.entries(byState)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => element('li', {}, badge(`${state} ${count}`, stateTone(state))))
  byId('counts').replaceChildren(...items)
}

function changeItem(change) {
  const opened = new Date(change.openedAtMs)
  const by = change.sponsor === null ? change.author : `${change.author} for ${change.sponsor}`
  const when = change.openedAtMs === 0 ? [] : [', ', timeElement(opened, dateTime(opened))]
  const lines = [
    element(
      'div',
      {},
      element('h3', {}, change.title),
      badge(change.state, stateTone(change.state)),
    ),
    element('p', { className: 'quiet' }, `${change.kind} by ${by}`, ...when, ' · ', idOf(change)),
    pathsOf(change),
    codeOf(change),
  ]
  if (change.approvedBy.length > 0) {
    lines.push(line(`Approved by ${change.approvedBy.join(', ')}.`))
  }
  if (change.rejectedBy.length > 0) {
    lines.push(line(`Rejected by ${change.rejectedBy.join(', ')}.`))
  }
  lines.push(...missingTexts(change.missing).map(line))
  if (change.activatedIndex !== null) {
    lines.push(line(`Took effect at log index ${change.activatedIndex}.`))
  } else if (change.reason !== null && !saidByMissing(change)) {
    lines.push(line(`${change.reason.code}: ${change.reason.message}`))
  }
  const item = element('li', {}, ...lines)
  item.dataset.changeId = change.changeId
  return item
}

/** Seats that the same people could fill are told together. */
function missingTexts(seats) {
  const texts = new Map()
  for (const { group, candidates } of seats) {
    const who = candidates.length === 0 ? 'nobody can now' : candidates.join(', ')
    const text = `of ${group}: ${who}.`
    texts.set(text, (texts.get(text) ?? 0) + 1)
  }
  return [...texts].map(([text, count]) => `Waits for ${count} ${text}`)
}

function saidByMissing(change) {
  return change.reason.code === 'NOT_APPROVED' && change.missing.length > 0
}

function idOf(change) {
  const id = element('code', {}, change.changeId.slice(0, 8))
  id.title = change.changeId
  return id
}

/** The same code that the command line shows before it signs: two people compare it. */
function codeOf(change) {
  const code = element('code', {}, change.shortCode)
  code.title = change.contentDigest
  return element('p', { className: 'quiet' }, `Short code of revision ${change.revision}: `, code)
}

function pathsOf(change) {
  const shown = change.paths.slice(0, pathsShown)
  const items = shown.map((path) => element('li', {}, element('code', {}, path)))
  const more = change.pathCount - shown.length
  if (more > 0) items.push(element('li', { className: 'quiet' }, `and ${more} more`))
  return element('ul', { className: 'paths' }, ...items)
}

function stateTone(state) {
  if (state === 'ACTIVE') return 'good'
  return state === 'OPEN' || state === 'APPROVED' ? 'wait' : 'plain'
}

function row(name, cells) {
  const header = element('th', { scope: 'row' }, name)
  const rest = cells.map(([label, content]) => {
    const cell = element('td', {}, content)
    cell.dataset.label = label
    return cell
  })
  return element('tr', {}, header, ...rest)
}

function line(text) {
  return element('p', { className: 'line' }, text)
}

function badge(text, tone, hint) {
  const made = element('span', { className: `badge ${tone}` }, text)
  if (hint !== undefined) made.title = hint
  return made
}

function timeElement(time, text) {
  const made = element('time', {}, text)
  made.dateTime = time.toISOString()
  made.title = time.toISOString()
  return made
}

/** Children that are strings become text nodes: markup in them stays text. */
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

function setText(id, text) {
  const target = byId(id)
  if (target.textContent !== text) target.textContent = text
}

function clockTime(time) {
  return time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
}

function dateTime(time) {
  return time.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
}

function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

listen()
