import { accessSync, constants, readFileSync } from 'node:fs'
import path from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startStatus, type StatusServer } from '../../src/status/index.js'
import { logIndex } from '../../src/raft/index.js'
import { FakeNode, type FakeChange } from '../status/fake-node.js'

t.setTimeout(120_000)

const id = (letter: string): string => letter.repeat(32)
const seat = { policy: 'payments', rule: 'limits', line: 0, group: 'approvers' }

const open: FakeChange = {
  changeId: id('a'),
  state: 'OPEN',
  title: 'Raise the daily limit',
  approvedBy: ['bob'],
  seats: [
    { ...seat, filledBy: 'bob', candidates: [] },
    { ...seat, candidates: ['carol', 'dave'] },
    { ...seat, line: 1, candidates: ['carol', 'dave'] },
  ],
  reason: { code: 'NOT_APPROVED', message: 'Missing: 2 of approvers.' },
}

interface Scene {
  readonly node: FakeNode
  readonly status: StatusServer
  readonly page: Page
  /** Whatever the browser complained about. */
  readonly complaints: string[]
}

const contrastOfTexts = readFileSync(new URL('./contrast-of-texts.js', import.meta.url), 'utf8')

const browser = await launch()
t.teardown(() => browser.close())

/** A browser with a profile of its own, which goes when it closes. */
async function launch(): Promise<Browser> {
  const executablePath =
    process.env['CHROMIUM_PATH'] ?? process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  try {
    accessSync(executablePath, constants.X_OK)
  } catch {
    throw new Error(
      `There is no Chromium at ${executablePath}. Install it (apt-get install chromium), ` +
        'or set CHROMIUM_PATH to its program.',
    )
  }
  return chromium.launch({
    executablePath,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
}

async function scene(
  t: Test,
  options: {
    readonly changes?: FakeChange[]
    readonly width?: number
    readonly dark?: boolean
  } = {},
): Promise<Scene> {
  const node = new FakeNode()
  node.changes = options.changes ?? [open]
  const status = await startStatus({ node, listen: '127.0.0.1:0' })
  const page = await browser.newPage()
  t.teardown(async () => {
    await page.close()
    await status.close()
  })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  await page.setViewportSize({ width: options.width ?? 1200, height: 900 })
  await page.emulateMedia({ colorScheme: options.dark === true ? 'dark' : 'light' })
  await page.goto(status.url)
  await page.locator('body[data-connection="live"]').waitFor()
  return { node, status, page, complaints }
}

/** Set SCREENSHOTS to a folder to look at what the test sees. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS']
  if (folder !== undefined) {
    await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true })
  }
}

function row(page: Page, node: string): Promise<string> {
  return page.getByRole('row', { name: new RegExp(`^${node}`, 'u') }).innerText()
}

await t.test(
  'shows nodes, leader, term, indexes, lag, and changes with who and what',
  async (t) => {
    const done: FakeChange = {
      changeId: id('b'),
      state: 'ACTIVE',
      title: 'Open a second region',
      approvedBy: ['bob', 'carol'],
      activatedIndex: 77,
      paths: Array.from({ length: 9 }, (_, index) => `/regions/eu-${String(index)}`),
    }
    const stale: FakeChange = {
      changeId: id('c'),
      state: 'STALE',
      title: 'Lower the limit',
      rejectedBy: ['dave'],
      reason: { code: 'STALE_BASE', message: 'The path has moved since.' },
    }
    const { page, complaints } = await scene(t, { changes: [open, done, stale] })
    await picture(page, 'wide-light')

    t.equal(await page.title(), 'example – node-1')
    t.equal(await page.locator('#leader').innerText(), 'node-1')
    t.equal(await page.locator('#term').innerText(), '4')
    t.equal(await page.locator('#commit').innerText(), '120')
    t.equal(await page.locator('#applied').innerText(), '118 2 behind')
    t.match(await page.locator('#log-time time').getAttribute('datetime'), '2026-11-23T19:30')
    t.match(await page.locator('#digest').getAttribute('title'), /^ab12/)
    t.match(await row(page, 'node-1'), /leader/)
    t.match(await row(page, 'node-2'), /follower\s+connected\s+none\s+120\s+70 ms ago/)
    t.match(await row(page, 'node-3'), /3 entries\s+117/)

    const items = page.locator('#changes > li')
    t.equal(await items.count(), 3)
    const [first, second, third] = await items.allInnerTexts()
    t.match(first, /Raise the daily limit\s*OPEN/)
    t.match(first, /config by alice/)
    t.match(first, /Short code of revision 1: VQEX-VQEX-VQEX-VQEX/)
    const code = items.first().getByText('VQEX-VQEX-VQEX-VQEX')
    t.equal(await code.getAttribute('title'), 'd'.repeat(64), 'the whole digest is at hand')
    t.match(first, /\/payments\/limits\/daily/)
    t.match(first, /Approved by bob\./)
    t.match(first, /Waits for 2 of approvers: carol, dave\./)
    t.notMatch(first, /NOT_APPROVED/, 'the empty seats say it')
    t.match(second, /ACTIVE[^]*and 3 more[^]*Approved by bob, carol\.[^]*log index 77/)
    t.notMatch(third, /Approved by/)
    t.match(third, /STALE[^]*Rejected by dave\.[^]*STALE_BASE: The path has moved since\./)
    t.match(await page.locator('#counts').innerText(), /OPEN 1\s+ACTIVE 1\s+STALE 1/)
    t.strictSame(complaints, [])
  },
)

await t.test('updates itself when a change takes effect', async (t) => {
  const { node, page, complaints } = await scene(t)
  const item = page.locator(`[data-change-id="${open.changeId}"]`)
  t.match(await item.innerText(), /OPEN/)
  node.changes = [
    { ...open, state: 'ACTIVE', approvedBy: ['bob', 'carol'], seats: [], activatedIndex: 121 },
    { changeId: id('d'), state: 'OPEN', title: 'The next one' },
  ]
  node.raft = {
    ...node.raft,
    commitIndex: logIndex(121),
    appliedIndex: logIndex(121),
    peers: node.raft.peers.map((peer) => ({ ...peer, state: 'probe' })),
  }
  node.applied()
  await item.getByText('Took effect at log index 121.').waitFor()
  await page.getByText('The next one').waitFor()
  t.match(await item.innerText(), /ACTIVE[^]*Approved by bob, carol\./)
  t.equal(await page.locator('#applied').innerText(), '121')
  t.match(await row(page, 'node-3'), /up to 3 entries/, 'the leader does not know better yet')
  t.strictSame(complaints, [])
})

await t.test('a new leader, or none, is seen without a reload', async (t) => {
  const { node, page } = await scene(t)
  node.raft = { ...node.raft, role: 'follower', leader: null, peers: [] }
  node.ready = false
  node.connected = false
  await page.locator('#leader', { hasText: 'none' }).waitFor()
  t.match(await row(page, 'node-2'), /unknown\s+no connection/)
  t.match(await page.locator('#lag-note').innerText(), /No leader is known/)
  t.equal(await page.locator('#connection').innerText(), 'live, not ready')
  await picture(page, 'no-leader')
  node.raft = { ...node.raft, leader: 'node-3' }
  node.connected = true
  await page.locator('#leader', { hasText: 'node-3' }).waitFor()
  t.match(await row(page, 'node-3'), /leader\s+connected\s+–/)
  t.match(await page.locator('#lag-note').innerText(), /known to the leader, node-3/)
})

await t.test('what people wrote stays text', async (t) => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>&amp;'
  const { page, complaints } = await scene(t, {
    changes: [
      {
        changeId: id('e'),
        state: 'OPEN',
        title: hostile,
        paths: ['/a/<b>x</b>'],
        approvedBy: ['<i>eve</i>'],
        seats: [{ ...seat, group: '<u>g</u>', candidates: ['"><svg onload=alert(1)>'] }],
        reason: { code: 'STALE_BASE', message: '<iframe src="/status"></iframe>' },
      },
    ],
  })
  t.equal(await page.locator('#changes h3').innerText(), hostile)
  t.equal(await page.locator('#changes .paths code').innerText(), '/a/<b>x</b>')
  t.equal(await page.locator('main :is(img, script, b, i, u, svg, iframe)').count(), 0)
  t.equal(await page.title(), 'example – node-1')
  t.strictSame(complaints, [])
})

await t.test('on a phone, nothing is wider than the screen, in light and in dark', async (t) => {
  const long: FakeChange = {
    changeId: id('f'),
    state: 'APPROVED',
    title: 'W'.repeat(200),
    paths: [`/${'deep/'.repeat(60)}end`, '/short'],
    approvedBy: ['a-person-with-a-very-long-name-that-goes-on-and-on-and-on-and-on', 'bob'],
  }
  for (const dark of [false, true]) {
    const { page, complaints } = await scene(t, { changes: [open, long], width: 360, dark })
    await picture(page, dark ? 'narrow-dark' : 'narrow-light')
    t.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), 360)
    const label = await page.evaluate<string>(
      "getComputedStyle(document.querySelector('#nodes td'), '::before').content",
    )
    t.match(label, /Role/, 'every cell says what it is')
    t.strictSame(complaints, [])
  }
})

await t.test('dark and light differ, and both can be read', async (t) => {
  const contrasts: number[] = []
  for (const dark of [false, true]) {
    const { page } = await scene(t, { dark })
    await picture(page, dark ? 'wide-dark' : 'wide-light-plain')
    contrasts.push(...(await page.evaluate<number[]>(contrastOfTexts)))
  }
  t.ok(contrasts.length > 20)
  // WCAG 2.2, 1.4.3: 4.5 to 1 for text of ordinary size.
  t.ok(Math.min(...contrasts) >= 4.5, `the lowest contrast is ${Math.min(...contrasts).toFixed(2)}`)
})

await t.test('a node that is gone is not mistaken for a quiet one', async (t) => {
  const { status, page } = await scene(t)
  const address = status.url.slice('http://'.length)
  await status.close()
  await page.locator('body[data-connection="lost"]').waitFor()
  t.equal(await page.locator('#connection').innerText(), 'not reachable')
  t.match(await page.getByRole('alert').innerText(), /has not answered since .* is old/)
  t.match(
    await page.locator('#changes').innerText(),
    /Raise the daily limit/,
    'what was known stays',
  )
  await picture(page, 'lost')

  const node = new FakeNode()
  node.changes = [{ changeId: id('9'), state: 'ACTIVE', title: 'While you were away' }]
  const again = await startStatus({ node, listen: address })
  t.teardown(() => again.close())
  await page.getByText('While you were away').waitFor()
  t.equal(await page.locator('#connection').innerText(), 'live')
  t.equal(await page.getByRole('alert').isVisible(), false)
})

await t.test('a node that is silent, without closing anything, is told as well', async (t) => {
  const { node, page } = await scene(t)
  // The node's loop goes on, but no snapshot is ever done: as a node that hangs looks from outside.
  node.read = () => new Promise(() => undefined)
  await page.locator('body[data-connection="lost"]').waitFor()
  t.match(await page.getByRole('alert').innerText(), /has not answered since/)
})

await t.test('a node that answers but cannot be read says why', async (t) => {
  const { node, page } = await scene(t)
  node.failure = new Error('no')
  await page.getByRole('alert').filter({ hasText: 'INTERNAL' }).waitFor()
  node.failure = null
  await page.getByRole('alert').waitFor({ state: 'hidden' })
  t.equal(await page.locator('#connection').innerText(), 'live')
})

await t.test('nothing to show yet is said', async (t) => {
  const { page, complaints } = await scene(t, { changes: [] })
  t.ok(await page.getByText('Nothing has been proposed yet.').isVisible())
  t.strictSame(complaints, [])
})
