// Reads a sealed push message with the real http_ece: node open_push.mjs PRIVATE_KEY AUTH BODY (each base64url)
import { createECDH } from 'node:crypto'
import ece from 'http_ece'

const [privateKey, authSecret, body] = process.argv.slice(2)
const keys = createECDH('prime256v1')
keys.setPrivateKey(Buffer.from(privateKey, 'base64url'))
const text = ece.decrypt(Buffer.from(body, 'base64url'), { version: 'aes128gcm', privateKey: keys, authSecret })
console.log(JSON.stringify({ text: text.toString() }))
