// Emits through the real cloudevents package: node cloudevents.mjs URL WRITE_KEY
import { CloudEvent, HTTP } from 'cloudevents'

const [url, writeKey] = process.argv.slice(2)
const event = (id) =>
  new CloudEvent({ id, type: 'call.ended', source: '/pbx', data: { seconds: 61, identifiers: ['phone:+14155550100'] } })
const statuses = []
for (const message of [HTTP.binary(event('n-binary')), HTTP.structured(event('n-structured'))]) {
  const headers = { ...message.headers, 'x-write-key': writeKey }
  const body = typeof message.body === 'string' ? message.body : JSON.stringify(message.body)
  statuses.push((await fetch(url, { method: 'POST', headers, body })).status)
}
console.log(JSON.stringify({ statuses }))
