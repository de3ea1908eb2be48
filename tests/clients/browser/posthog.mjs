// Takes posthog-js in pages of the real Chromium through its cases: node posthog.mjs PROXY DOOR WRITE_KEY CASES TEXTS
// CASES is a JSON list of [case, work, posts to wait for].
// Prints {gaveUp: {case: [statuses]}, visits: {package: {captured: [[event, id]], faults: its console, asked: the routes of the door}}}.
import { launched, shop, until } from './chromium.mjs'

const [proxy, door, key, cases, texts] = process.argv.slice(2)
const packages = ['posthog-js', 'posthog-js-1.280', 'posthog-js-1.200'] // the older ones ask for other things, and send by XMLHttpRequest
const scripts = Object.fromEntries(packages.map((name) => [`/${name}/`, `node_modules/${name}/dist/`]))
const home = await shop(scripts, '<!doctype html><title>Shop</title><body></body>')
const browser = await launched()
const seen = { gaveUp: {}, visits: {} }
const answered = {}

async function opened(context) {
  const page = await context.newPage()
  page.on('response', (response) => {
    const [, client, name, route] = new URL(response.url()).pathname.split('/')
    if (response.request().method() == 'POST' && route == 'e' && response.ok()) answered[`${client}/${name}`] = (answered[`${client}/${name}`] ?? 0) + 1
  })
  await page.goto(home)
  await page.addScriptTag({ url: '/posthog-js/array.js' })
  return page
}

// What one case does in its page; it is a function of the page and knows nothing of what is around it.
function inPage({ client, name, work, key, proxy, texts: { unicode, eventBytes, batchEventBytes } }) {
  const gaveUp = ((window.gaveUp ??= {})[name] ??= [])
  const user = `${client}/${name}`
  const works = {
    three: [{}, {}, {}],
    unicode: [{ text: unicode }],
    'large-event': [{}, { text: user + 'x'.repeat(eventBytes) }, {}],
    'large-batch': Array.from({ length: 20 }, () => ({ text: 'y'.repeat(batchEventBytes) }))
  }
  const a = posthog.init(
    key,
    {
      api_host: `${proxy}/${user}`,
      persistence: 'memory',
      persistence_name: user,
      bootstrap: { distinctID: user, isIdentifiedID: true },
      opt_out_useragent_filter: true, // else a headless browser is a robot whose events are kept back
      autocapture: false,
      capture_pageview: false,
      disable_compression: name == 'plain' || client.endsWith('-plain'),
      request_queue_config: { flush_interval_ms: name == 'page-hide' ? 5000 : 250 }, // what is being packed as the page is left is lost by it
      on_request_error: ({ statusCode }) => gaveUp.push(statusCode),
      ...(name == 'cookieless' && { cookieless_mode: 'always', bootstrap: undefined })
    },
    user
  )
  if (work == 'methods') {
    a.setPersonProperties({ plan: 'gold' })
    a.capture('$pageview')
    a.group('company', 'acme')
    a.alias('old')
  }
  for (const [n, more] of (works[work] ?? [{}]).entries()) a.capture('Called', { n, ...more })
}

const given = (client, name, work, key) => ({ client, name, work, key, proxy, texts: JSON.parse(texts) })
const context = await browser.newContext()
const page = await opened(context)
const done = JSON.parse(cases).map(async ([name, work, posts]) => {
  await page.evaluate(inPage, given('posthog-js', name, work, work == 'unknown-key' ? 'wk_nobody' : key))
  await until(() => (answered[`posthog-js/${name}`] ?? 0) >= posts, 45)
})
const leaving = ['posthog-js', 'posthog-js-plain'].map(async (client) => {
  const away = await opened(context)
  await away.evaluate(inPage, given(client, 'page-hide', 'three', key))
  await away.goto(`${home}next-page`)
  await new Promise((go) => setTimeout(go, 2000))
})

async function offline() {
  const train = await browser.newContext()
  const tunnel = await opened(train)
  await train.setOffline(true)
  await tunnel.evaluate(inPage, given('posthog-js', 'offline', 'three', key))
  await new Promise((go) => setTimeout(go, 1500))
  await train.setOffline(false)
  await until(() => answered['posthog-js/offline'])
}

// A visit with all that the library does by itself, straight to the door.
async function visit(name) {
  const told = (seen.visits[name] = { captured: [], faults: [], asked: [] })
  const visitor = await browser.newContext()
  const shopping = await visitor.newPage()
  shopping.on('pageerror', (error) => told.faults.push(String(error)))
  shopping.on('console', (message) => message.type() != 'info' && told.faults.push(message.text()))
  shopping.on('request', (request) => request.url().startsWith(home) || told.asked.push(request.url().replace(/\?.*/, '').replace(door, '')))
  await shopping.exposeFunction('captured', (event, id) => told.captured.push([event, id]))
  await shopping.goto(home)
  await shopping.addScriptTag({ url: `/${name}/array.js` })
  await shopping.evaluate(
    ({ door, key }) => {
      const before_send = (event) => (window.captured(event.event, event.uuid), event)
      posthog.init(key, { api_host: door, defaults: '2026-01-30', opt_out_useragent_filter: true, before_send })
    },
    { door, key }
  )
  await new Promise((go) => setTimeout(go, 1500)) // the settings come
  await shopping.evaluate(() => {
    posthog.setPersonProperties({ seen: true })
    posthog.capture('Order Completed', { order_id: 'o-1', revenue: 12.5, currency: 'EUR' })
    posthog.identify('42', { email: 'ann@example.com' })
    posthog.alias('ann')
    posthog.group('company', 'acme', { size: 9 })
    posthog.capture('at once', {}, { send_instantly: true })
  })
  await new Promise((go) => setTimeout(go, 4500)) // what waits is sent every three seconds
  await shopping.evaluate(() => {
    posthog.reset()
    posthog.capture('last')
  })
  await shopping.goto(`${home}next-page`)
  await new Promise((go) => setTimeout(go, 2000))
}

await Promise.all([...done, ...leaving, offline(), ...packages.map(visit)])
seen.gaveUp = await page.evaluate(() => window.gaveUp)
console.log(JSON.stringify(seen))
await browser.close()
process.exit(0)
