// Visits a shop's page in the real Chromium and does there what is asked, step by step: node visit.mjs URL STEPS
// STEPS is a JSON list: {"do": "click" | "press" | "wait" | "absent" | "hide" | "read", ...}. Prints what was seen as JSON.
import { launched } from './chromium.mjs'

const [url, steps] = process.argv.slice(2)
const browser = await launched()
const page = await browser.newPage()
const seen = { read: [], faults: [], heard: [], url: '' }
page.on('pageerror', (error) => seen.faults.push(String(error)))
page.on('console', (message) => message.type() == 'error' && seen.faults.push(message.text()))
await page.exposeFunction('heard', (what, detail) => seen.heard.push([what, detail]))
await page.addInitScript(() => {
  for (const what of ['shown', 'clicked', 'dismissed']) addEventListener('nextwave:' + what, (e) => window.heard(what, e.detail))
})
await page.goto(url)
const invitation = page.locator('nextwave-invitation section')
for (const step of JSON.parse(steps)) {
  if (step.do == 'wait') await invitation.waitFor({ timeout: 20000 })
  if (step.do == 'absent') await page.waitForTimeout(step.ms)
  if (step.do == 'click') await page.getByRole(step.role, { name: step.name, exact: true }).click()
  if (step.do == 'press') await page.locator(step.at).press(step.key)
  if (step.do == 'read')
    seen.read.push({
      shown: await invitation.count(),
      text: (await invitation.count()) ? await invitation.innerText() : '',
      role: (await invitation.count()) ? await invitation.evaluate((e) => [e.getAttribute('role'), e.ariaLabel, e.lang, getComputedStyle(e).position]) : [],
      markup: await page.evaluate(() => document.querySelectorAll('img').length)
    })
}
await page.waitForTimeout(500)
seen.url = page.url()
await browser.close()
console.log(JSON.stringify(seen))
