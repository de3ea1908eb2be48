// The real Chromium for the scripts of this folder, and a shop for its pages: files by the beginning of their path, and everything else is the page.
import chromium from '@sparticuz/chromium'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { chromium as browsers } from 'playwright-core'

export const launched = async () =>
  browsers.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--headless=shell', '--disable-background-networking', '--single-process', '--no-zygote'],
    headless: true
  })

export async function shop(folders, page) {
  const server = createServer((request, response) => {
    const path = request.url.split('?')[0]
    const place = Object.keys(folders).find((folder) => path.startsWith(folder))
    response.setHeader('content-type', place ? 'text/javascript' : 'text/html')
    response.end(place ? readFileSync(folders[place] + path.slice(place.length)) : page)
  }).listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  return `http://127.0.0.1:${server.address().port}/`
}

export async function until(known, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; !known() && Date.now() < end; ) await new Promise((go) => setTimeout(go, 50))
}
