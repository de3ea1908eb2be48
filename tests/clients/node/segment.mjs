// Posts through the real @segment/analytics-node: node segment.mjs HOST WRITE_KEY
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, flushAt: 3, maxRetries: 3 })
const errors = []
analytics.on('error', (error) => errors.push(String(error.reason ?? error.code)))
analytics.identify({ userId: 'node-7', traits: { email: 'Ann@Example.com' } })
analytics.track({ userId: 'node-7', event: 'Order Completed', properties: { order_id: 'n-1', revenue: 12.5, currency: 'EUR' } })
analytics.page({ anonymousId: 'node-a', name: 'Größe', properties: { path: '/renew' } })
await analytics.closeAndFlush({ timeout: 20000 })
console.log(JSON.stringify({ errors }))
