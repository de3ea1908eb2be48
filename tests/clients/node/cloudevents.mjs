// Emits through the real cloudevents package, by its own transport: node cloudevents.mjs URL WRITE_KEY
// Prints for each event and mode [mode, status, what the package itself reads of the message: id, source, data].
import { CloudEvent, HTTP, Mode, emitterFor } from 'cloudevents'

const [url, writeKey] = process.argv.slice(2)
const usual = { type: 'call.ended', source: '/pbx/1?a=b', subject: 'phone:+14155550100', partitionkey: 'k 1', dataschema: 'https://example.com/s' }
const events = [
  new CloudEvent({ ...usual, id: 'plain', data: { seconds: 61, word: 'Größe 日本語 😀' } }),
  new CloudEvent({ ...usual, id: '100% "a" b', time: '2026-01-02T03:04:05.678+02:00', data: { seconds: 61 } }),
  new CloudEvent({ ...usual, id: 'text', type: 'sms.received', datacontenttype: 'text/plain', data: 'STOP' })
]
const told = []

async function send(message, options) {
  const headers = { ...message.headers, 'x-write-key': writeKey, ...options.headers }
  const body = typeof message.body === 'string' ? message.body : JSON.stringify(message.body)
  const read = HTTP.toEvent({ headers: message.headers, body })
  told.push([options.mode, (await fetch(url, { method: 'POST', headers, body })).status, { id: read.id, source: read.source, data: read.data }])
}

for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  const emit = emitterFor(send, { binding: HTTP, mode })
  for (const event of events) await emit(event.cloneWith({ id: `${event.id}/${mode}` }), { mode })
}
console.log(JSON.stringify(told))
