// Judges and makes signatures with the providers' own packages: node sign.mjs GIVEN, a JSON object of
// {token, url, form, json: body}: what Twilio sends for a form and for a JSON body; and {key, publicKey, stamp, body}: what SendGrid's package says of our test's signature.
import { EventWebhook } from '@sendgrid/eventwebhook'
import { createPrivateKey, sign } from 'node:crypto'
import { getExpectedBodyHash, getExpectedTwilioSignature, validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js'

const { twilio, sendgrid } = JSON.parse(process.argv[2])
const { token, url, form, json } = twilio
const hashed = `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${getExpectedBodyHash(json)}`
const byForm = getExpectedTwilioSignature(token, url, form)
const byBody = getExpectedTwilioSignature(token, hashed, {})
const { key, publicKey, stamp, body } = sendgrid
const signature = sign('sha256', Buffer.from(stamp + body), createPrivateKey(key)).toString('base64')
const judge = new EventWebhook()
const known = judge.convertPublicKeyToECDSA(publicKey)
console.log(
  JSON.stringify({
    form: { url, signature: byForm, holds: validateRequest(token, byForm, url, form) },
    json: { url: hashed, signature: byBody, holds: validateRequestWithBody(token, byBody, hashed, json) },
    sendgrid: { signature, holds: judge.verifySignature(known, body, signature, stamp), changed: judge.verifySignature(known, `${body} `, signature, stamp) }
  })
)
