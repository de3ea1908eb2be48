// The shop's side of on-site invitations. While the page is seen it listens; what comes is shown in a shadow root, as text and web links
// only, and what becomes of it is reported. data-key: the write key; data-anonymous-id: the visitor's random id, where analytics.js does
// not keep it; data-yes, data-no: what stands on the buttons. The page hears nextwave:shown, nextwave:clicked and nextwave:dismissed.
// `make script` writes onsite.min.js, which is what is served.
(() => {
  const tag = document.currentScript
  const { key, anonymousId, yes, no } = tag.dataset
  const base = tag.src.replace(/\.js.*/, '')
  let stream, host, timer

  const who = () => {
    try {
      return anonymousId || JSON.parse(localStorage.ajs_anonymous_id)
    } catch {}
  }

  const post = (url, body) => fetch(url, { method: 'POST', body: JSON.stringify(body), keepalive: true }).catch(() => 0)

  const say = (id, what, url) => {
    post(`${base}/${id}:${what}`, { write_key: key, anonymous_id: who() })
    // Clicks and dismissals are acts of the visitor, and so touchpoints. That it was shown is none.
    if (what != 'shown')
      post('INGEST/v1/track', {
        writeKey: key,
        anonymousId: who(),
        messageId: id + what,
        event: 'onsite.' + what,
        properties: { action_id: id, url }
      })
    dispatchEvent(new CustomEvent('nextwave:' + what, { detail: { id, url } }))
  }

  const show = (id, { title, text, links, language }) => {
    const add = (parent, kind, more) => parent.appendChild(Object.assign(document.createElement(kind), more))
    host = add(document.body, 'nextwave-invitation')
    const root = host.attachShadow({ mode: 'open' })
    // A constructed sheet is no inline style to a Content-Security-Policy.
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(
      'section{position:fixed;z-index:2147483647;right:1em;bottom:1em;max-width:min(22em,80vw);padding:1em;font:1rem system-ui;color:#111;background:#fff;border:1px solid #767676}p{white-space:pre-line}a,button{font:inherit;padding:.5em;color:#0645ad}.no{position:absolute;top:0;right:0}'
    )
    root.adoptedStyleSheets = [sheet]
    const box = add(root, 'section', { role: 'dialog', ariaLabel: title || text, ariaLive: 'polite', lang: language, dir: 'auto' })
    const end = (what, url) => {
      host.remove()
      host = 0
      say(id, what, url)
      // Not at once: a click may lead away.
      timer = setTimeout(listen, 3e3)
    }
    if (title) add(box, 'b', { textContent: title })
    add(box, 'p', { textContent: text })
    for (const { url, label } of links) add(box, 'a', { textContent: label, href: url, onclick: () => end('clicked', url) })
    if (!links[0]) add(box, 'button', { textContent: yes || 'OK', onclick: () => end('clicked') })
    add(box, 'button', { textContent: '×', className: 'no', ariaLabel: no || 'Close', onclick: () => end('dismissed') })
    box.onkeydown = (event) => event.key == 'Escape' && end('dismissed')
    say(id, 'shown')
  }

  const listen = () => {
    stream?.close()
    clearTimeout(timer)
    if (document.hidden || host) return
    const id = who()
    if (!id) return (timer = setTimeout(listen, 1e3))
    stream = new EventSource(`${base}/stream?` + new URLSearchParams({ write_key: key, anonymous_id: id }))
    stream.onmessage = ({ lastEventId, data }) => {
      stream.close()
      show(lastEventId, JSON.parse(data))
    }
    // A refused stream does not come again by itself.
    stream.onerror = () => stream.readyState > 1 && (timer = setTimeout(listen, 3e4 * (1 + Math.random())))
  }

  document.addEventListener('visibilitychange', listen)
  listen()
})()
