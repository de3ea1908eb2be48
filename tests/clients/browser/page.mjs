// Runs a script in a page of the real Chromium that has a package's FILE, until it has posted to URL and a while longer: node page.mjs SCRIPT FILE URL
// Prints {faults, posts}.
import { readFileSync } from 'node:fs'
import { launched, shop, until } from './chromium.mjs'

const [script, file, url] = process.argv.slice(2)
const browser = await launched()
const home = await shop({}, '<!doctype html>')
const page = await browser.newPage()
const seen = { faults: [], posts: [] }
page.on('pageerror', (error) => seen.faults.push(String(error)))
page.on('console', (message) => message.type() == 'error' && seen.faults.push(message.text()))
page.on('request', (request) => request.url().startsWith(url) || request.url().startsWith(home) || seen.faults.push(`asks ${request.url()}`))
await page.goto(home)
await page.addScriptTag({ content: readFileSync(`node_modules/${file}`, 'utf8') })
page.on('response', (response) => {
  const of = response.request()
  if (response.url().startsWith(url) && of.method() == 'POST') seen.posts.push(new URL(of.url()).pathname)
})
await page.addScriptTag({ content: script, type: 'module' })
await until(() => seen.posts.length, 20)
await new Promise((go) => setTimeout(go, 4500)) // PostHog's sends what waits every three seconds
console.log(JSON.stringify(seen))
await browser.close()
process.exit(0)
