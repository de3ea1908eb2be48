// Runs a script in a page of the real Chromium until it has posted to URL: node page.mjs SCRIPT URL. Prints {faults, posts}.
import { readFileSync } from 'node:fs'
import { launched, shop } from './chromium.mjs'

const [script, url] = process.argv.slice(2)
const browser = await launched()
const page = await browser.newPage()
const seen = { faults: [], posts: [] }
page.on('pageerror', (error) => seen.faults.push(String(error)))
page.on('console', (message) => message.type() == 'error' && seen.faults.push(message.text()))
await page.goto(await shop({}, '<!doctype html>'))
await page.addScriptTag({ content: readFileSync('node_modules/@segment/analytics-next/dist/umd/index.js', 'utf8') })
const posted = page.waitForResponse((response) => response.url().startsWith(url) && response.request().method() == 'POST', { timeout: 20000 })
await page.addScriptTag({ content: script, type: 'module' })
seen.posts.push(new URL((await posted).url()).pathname)
console.log(JSON.stringify(seen))
await browser.close()
process.exit(0)
