// Takes one client through its cases, all at once: node matrix.mjs CLIENT URL WRITE_KEY CASES
// CASES is a JSON list of [case, work]; the client's server is URL/CLIENT/CASE. Prints {case: [what it gave up on]}.
import { Analytics } from '@segment/analytics-node'
import Rudder from '@rudderstack/rudder-sdk-node'
import { jitsuAnalytics } from '@jitsu/js'
import { PostHog } from 'posthog-node'
import { retrying } from './retrying.mjs'

const [client, url, writeKey, cases, texts] = process.argv.slice(2)
const { unicode, eventBytes, batchEventBytes } = JSON.parse(texts)

const TRACKS = {
  one: () => [{}],
  three: () => [{}, {}, {}],
  unicode: () => [{ text: unicode }],
  'null-ids': () => [{}],
  'large-event': (user) => [{}, { text: user + 'x'.repeat(eventBytes) }, {}],
  'large-batch': () => Array.from({ length: 20 }, () => ({ text: 'y'.repeat(batchEventBytes) })),
  'unknown-key': () => [{}]
}
TRACKS['too-large-batch'] = TRACKS['large-batch']

async function segment(at, key, user, work, gaveUp) {
  const [, host, path] = at.match(/^(https?:\/\/[^/]+)(.*)$/)
  const flushAt = work == 'large-batch' ? 15 : 100 // 15 is the client's default
  const a = new Analytics({ writeKey: key, host, path: `${path}/v1/batch`, flushAt, maxRetries: 8, httpRequestTimeout: 4000 })
  a.on('error', (e) => gaveUp(e.reason ?? e.code))
  const who = { userId: user, ...(work == 'null-ids' && { anonymousId: null }) }
  if (work == 'methods') {
    a.identify({ ...who, traits: { plan: 'gold' } })
    a.track({ ...who, event: 'Called' })
    a.page({ ...who, name: 'Shop' })
    a.screen({ ...who, name: 'Home' })
    a.group({ ...who, groupId: 'acme' })
    a.alias({ userId: user, previousId: 'old' })
  } else {
    TRACKS[work](user).forEach((more, n) => attempt(gaveUp, () => a.track({ ...who, event: 'Called', properties: { n, ...more } })))
  }
  await a.closeAndFlush({ timeout: 30000 })
}

async function rudder(at, key, user, work, gaveUp, name) {
  const options = { dataPlaneUrl: at, flushAt: 20, retryCount: 8, timeout: 4000, gzip: name != 'plain', logLevel: 'none' }
  const axiosRetryConfig = { shouldResetTimeout: true } // else all attempts and the waits between them share one time-out
  const a = new Rudder(key, { ...options, flushInterval: 100, axiosRetryConfig })
  const who = { userId: user, ...(work == 'null-ids' && { anonymousId: null }) }
  const told = []
  const call = (method, message) =>
    told.push(new Promise((done) => attempt((e) => done(gaveUp(e)), () => a[method](message, (e) => done(e && gaveUp(e))))))
  if (work == 'methods') {
    call('identify', { ...who, traits: { plan: 'gold' } })
    call('track', { ...who, event: 'Called' })
    call('page', { ...who, name: 'Shop' })
    call('screen', { ...who, name: 'Home' })
    call('group', { ...who, groupId: 'acme' })
    call('alias', { userId: user, previousId: 'old' })
  } else {
    TRACKS[work](user).forEach((more, n) => call('track', { ...who, event: 'Called', properties: { n, ...more } }))
  }
  const flushing = setInterval(() => a.flush().catch(() => {}), 300) // what is behind a batch that it gave up waits for the next flush
  await Promise.all(told)
  clearInterval(flushing)
}

async function jitsu(at, key, user, work, gaveUp, fetch) {
  const errorPolicy = (message) => gaveUp(message)
  const a = jitsuAnalytics({ host: at, writeKey: `${key}:jitsu`, s2s: work == 'one', fetch, fetchTimeoutMs: fetch ? undefined : 4000, errorPolicy })
  const who = { userId: user }
  if (work == 'methods') {
    await a.identify(user, { plan: 'gold' })
    await a.track('Called', {})
    await a.page({ name: 'Shop' })
    await a.group('acme', {}, who)
  } else {
    if (work == 'null-ids') a.setAnonymousId(null)
    await Promise.all(TRACKS[work](user).map((more, n) => a.track('Called', { n, ...more }, who)))
  }
}

async function posthog(at, key, user, work, gaveUp, name) {
  process.env.POSTHOG_CAPTURE_MODE = user.startsWith('posthog-node-v1/') ? 'v1' : 'v0'
  const waits = { flushInterval: 100, fetchRetryCount: 8, fetchRetryDelay: 200, requestTimeout: 4000 }
  const a = new PostHog(key, { host: at, flushAt: 100, ...waits, disableCompression: name == 'plain' })
  a.on('error', (e) => gaveUp(e.status ?? e.message))
  if (work == 'methods') {
    a.identify({ distinctId: user, properties: { plan: 'gold' } })
    a.capture({ distinctId: user, event: 'Called' })
    a.capture({ distinctId: user, event: '$pageview', properties: { $current_url: 'https://shop.example/' } })
    a.groupIdentify({ groupType: 'company', groupKey: 'acme', distinctId: user })
    a.alias({ distinctId: user, alias: 'old' })
    a.capture({ distinctId: user, event: '$ai_generation' })
    a.captureException(new Error("a program's"), user)
    if (await a.getFeatureFlag('a-flag', user)) gaveUp('there are no flags')
  } else {
    TRACKS[work](user).forEach((more, n) => a.capture({ distinctId: user, event: 'Called', properties: { n, ...more } }))
  }
  await a.shutdown(30000)
}

function attempt(gaveUp, call) {
  try {
    call()
  } catch (e) {
    gaveUp(e.message)
  }
}

const CLIENTS = {
  'analytics-node': segment,
  'rudder-sdk-node': rudder,
  jitsu: (...given) => jitsu(...given.slice(0, 5)),
  'jitsu-retrying': (...given) => jitsu(...given.slice(0, 5), retrying(8, 4000)),
  'posthog-node': posthog,
  'posthog-node-v1': posthog
}
console.error = console.warn = () => {} // clients write their faults there too
process.on('unhandledRejection', () => {}) // RudderStack's flush rejects beside telling its callbacks, and its timer hears nobody
const alive = setInterval(() => {}, 1000) // as a server is: the waits of posthog-node's newer protocol keep no process from ending
const seen = {}
await Promise.all(
  JSON.parse(cases).map(async ([name, work]) => {
    seen[name] = []
    const gaveUp = (reason) => void seen[name].push(String(reason?.message ?? reason))
    const key = work == 'unknown-key' ? 'wk_nobody' : writeKey
    try {
      await CLIENTS[client](`${url}/${client}/${name}`, key, `${client}/${name}`, work, gaveUp, name)
    } catch (e) {
      gaveUp(e)
    }
  })
)
clearInterval(alive)
console.log(JSON.stringify(seen))
process.exit(0)
