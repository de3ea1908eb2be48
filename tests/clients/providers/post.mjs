// Posts requests that the providers' own packages have signed: node post.mjs DOOR PUBLIC_URL SECRET
import '@shopify/shopify-api/adapters/node'
import { createSHA256HMAC } from '@shopify/shopify-api/runtime'
import twilio from 'twilio'
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js'

const [door, publicUrl, secret] = process.argv.slice(2)
const { validateRequest } = twilio

async function post(path, body, headers) {
  const answer = await fetch(door + path, { method: 'POST', body, headers })
  return [answer.status, answer.headers.get('content-type')]
}

function signedByTwilio(path, form) {
  const signature = getExpectedTwilioSignature(secret, publicUrl + path, form)
  if (!validateRequest(secret, signature, publicUrl + path, form)) throw new Error('twilio does not know its own signature')
  return post(path, new URLSearchParams(form).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': signature,
  })
}

async function signedByShopify(path, topic, body) {
  const written = JSON.stringify(body)
  return post(path, written, {
    'content-type': 'application/json',
    'x-shopify-topic': topic,
    'x-shopify-hmac-sha256': await createSHA256HMAC(secret, written),
  })
}

const text = { MessageSid: 'SM-node', From: '+14155550100', To: '+14155550199', Body: 'Stopp bitte größe & co = 1+1', NumMedia: '0', OptOutType: 'STOP' }
const call = {
  CallSid: 'CA-node',
  CallStatus: 'completed',
  Direction: 'inbound',
  CallbackSource: 'call-progress-events',
  From: '+14155550100',
  To: '+14155550199',
  CallDuration: '61',
  Timestamp: new Date().toUTCString(),
}
const order = { id: 7, name: '#7', email: 'größe@example.com', currency: 'EUR', total_price: '12.50', created_at: new Date().toISOString() }
const answers = [
  await signedByTwilio('/v1/inbound/shop/twilio-sms', text),
  await signedByTwilio('/v1/inbound/shop/twilio-voice?of=desk', call),
  await signedByShopify('/v1/inbound/shop/shopify', 'orders/create', order),
]
console.log(JSON.stringify(answers))
