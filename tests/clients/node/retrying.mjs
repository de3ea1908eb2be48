// Jitsu's library sends each call once: this `fetch` for its options sends it again until the door has it.
export const retrying = (times = 10, timeoutMs = 10000) => async (url, options) => {
  for (let n = 1; ; n++) {
    let wait = Math.min(60, 0.2 * 2 ** n)
    try {
      const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(timeoutMs) })
      if (n >= times || (answer.status < 500 && ![408, 429].includes(answer.status))) return answer
      wait = Math.max(wait, Number(answer.headers.get('retry-after')) || 0)
    } catch (e) {
      if (n >= times) throw e
    }
    await new Promise((go) => setTimeout(go, wait * 1000))
  }
}
