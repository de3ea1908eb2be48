// Runs a script in a page of the real Chromium until it has posted to URL: node page.mjs SCRIPT URL. Prints {faults, posts}.
import chromium from '@sparticuz/chromium'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { chromium as browsers } from 'playwright-core'

const [script, url] = process.argv.slice(2)
const browser = await browsers.launch({
  executablePath: await chromium.executablePath(),
  args: ['--no-sandbox', '--disable-gpu', '--headless=shell', '--disable-background-networking', '--single-process', '--no-zygote'],
  headless: true
})
const page = await browser.newPage()
const seen = { faults: [], posts: [] }
page.on('pageerror', (error) => seen.faults.push(String(error)))
page.on('console', (message) => message.type() == 'error' && seen.faults.push(message.text()))
const shop = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>')).listen(0, '127.0.0.1')
await new Promise((listening) => shop.once('listening', listening))
await page.goto(`http://127.0.0.1:${shop.address().port}/`)
await page.addScriptTag({ content: readFileSync('node_modules/@segment/analytics-next/dist/umd/index.js', 'utf8') })
const posted = page.waitForResponse((response) => response.url().startsWith(url) && response.request().method() == 'POST', { timeout: 20000 })
await page.addScriptTag({ content: script, type: 'module' })
seen.posts.push(new URL((await posted).url()).pathname)
console.log(JSON.stringify(seen))
await browser.close()
process.exit(0)
