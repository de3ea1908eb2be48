// Takes clients in pages of the real Chromium through their cases: node analytics.mjs PROXY WRITE_KEY CASES TEXTS OWN
// CASES is a JSON list of [client, case, work, answers to wait for]; OWN is a folder of modules that pages load. The pages are of another origin than the doors.
// Prints {client: {case: [what it gave up on]}, hosts: [where pages sent anything]}.
import { launched, shop, until } from './chromium.mjs'

const [proxy, writeKey, cases, texts, own] = process.argv.slice(2)
const folders = { '/next/': 'node_modules/@segment/analytics-next/dist/umd/', '/jitsu/': 'node_modules/@jitsu/js/dist/', '/own/': own }
const home = await shop(folders, '<!doctype html><script src="/next/index.js"></script>')
const browser = await launched()
const context = await browser.newContext()
const seen = { hosts: [] }
const answered = {}
context.on('request', (request) => seen.hosts.includes(new URL(request.url()).host) || seen.hosts.push(new URL(request.url()).host))
context.on('response', (response) => {
  const at = response.url().slice(proxy.length + 1).split('/', 2).join('/')
  if (response.request().method() == 'POST' && response.ok()) answered[at] = (answered[at] ?? 0) + 1
})

async function opened() {
  const page = await context.newPage()
  await page.goto(home)
  return page
}

// What one case does in its page; it is a function of the page and knows nothing of what is around it.
async function inPage({ client, name, work, key, proxy, texts: { unicode, eventBytes, batchEventBytes }, stays }) {
  const gaveUp = (((window.gaveUp ??= {})[client] ??= {})[name] ??= [])
  const user = `${client}/${name}`
  const large = Array.from({ length: 20 }, () => ({ text: 'y'.repeat(batchEventBytes) }))
  const works = {
    three: [{}, {}, {}],
    unicode: [{ text: unicode }],
    'large-event': [{}, { text: user + 'x'.repeat(eventBytes) }, {}],
    'large-batch': large
  }
  const tracks = works[work] ?? [{}]
  if (client == 'jitsu-browser') {
    const [{ jitsuAnalytics }, { retrying }] = await Promise.all([import('/jitsu/jitsu.es.js'), import('/own/retrying.mjs')])
    const errorPolicy = (message) => gaveUp.push(message)
    const a = jitsuAnalytics({ host: `${proxy}/${user}`, writeKey: `${key}:jitsu`, fetch: retrying(), errorPolicy })
    if (work == 'methods') {
      await a.identify(user, { plan: 'gold' })
      await a.page({ name: 'Shop' })
      await a.group('acme', {}, { userId: user })
    }
    return void (work == 'methods' ? [{}] : tracks).map((more, n) => a.track('Called', { n, ...more }, { userId: user }))
  }
  const settings = { writeKey: key, cdnURL: `${proxy}/${user}` }
  const batching = { strategy: 'batching', config: { size: 100, timeout: stays ? 100 : 60000, keepalive: !stays } }
  const others = { All: name == 'single', Amplitude: { apiKey: 'x' }, 'Google Analytics 4': true } // of a page that had more destinations
  const place = { apiHost: `${proxy.slice(7)}/${user}/v1`, protocol: 'http', deliveryStrategy: client.endsWith('batching') ? batching : {} }
  const a = AnalyticsNext.AnalyticsBrowser.load(settings, { integrations: { ...others, 'Segment.io': place }, disableClientPersistence: stays })
  a.on('error', ({ reason }) => gaveUp.push(String(reason)))
  const who = { userId: user, ...(work == 'null-ids' && { anonymousId: null }) }
  if (work == 'methods') {
    await a.identify(user, { plan: 'gold' })
    a.page('Shop')
    a.screen('Home')
    a.group('acme')
    a.alias(user, 'old')
  }
  await Promise.race([a.ready(), new Promise((go) => setTimeout(go, 5000))])
  const goOn = (few) => few.forEach((more, n) => a.track('Called', { n, ...more }, who))
  goOn(tracks)
  window.again = () => goOn([{}, {}, {}])
}

const inTunnel = () => window.again()

const page = await opened()
const done = JSON.parse(cases).map(async ([client, name, work, answers]) => {
  const key = work == 'unknown-key' ? 'wk_nobody' : writeKey
  await page.evaluate(inPage, { client, name, work, key, proxy, texts: JSON.parse(texts), stays: true })
  await until(() => (answered[`${client}/${name}`] ?? 0) >= answers)
})
const leaving = ['analytics-next-batching', 'analytics-next'].map(async (client) => {
  const away = await opened()
  const given = { client, name: 'page-hide', work: 'three', key: writeKey, proxy, texts: JSON.parse(texts), stays: false }
  await away.evaluate(inPage, given)
  await new Promise((go) => setTimeout(go, 300))
  await away.goto(`${home}next-page`)
  if (client == 'analytics-next') await away.evaluate(inPage, { ...given, work: 'one' }) // the client of the next page sends what it finds
  await new Promise((go) => setTimeout(go, 3000))
})

async function offline(client) {
  const train = await browser.newContext()
  const tunnel = await train.newPage()
  await tunnel.goto(home)
  const given = { client, name: 'offline', work: 'one', key: writeKey, proxy, texts: JSON.parse(texts), stays: true }
  await tunnel.evaluate(inPage, given) // its settings come while there is a network
  await new Promise((go) => setTimeout(go, 1500))
  await train.setOffline(true)
  await tunnel.evaluate(inTunnel)
  await new Promise((go) => setTimeout(go, 1500))
  await train.setOffline(false)
  await new Promise((go) => setTimeout(go, 8000))
}

await Promise.all([...done, ...leaving, offline('analytics-next'), offline('analytics-next-batching')])
Object.assign(seen, await page.evaluate(() => window.gaveUp))
console.log(JSON.stringify(seen))
await browser.close()
process.exit(0)
