"""What browsers ask before they send, and may read of an answer: any page may post, since its key decides."""

from __future__ import annotations

from nextwave_ingest.doors.exchange import Answer, Request

Header = tuple[bytes, bytes]
CORS: tuple[Header, ...] = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"retry-after"))
"""Goes with each answer: without the second a client in a page does not learn when to come again."""
CREDENTIALED: tuple[Header, ...] = (*CORS, (b"access-control-allow-credentials", b"true"))
"""Of doors whose clients send a page's credentials along, as PostHog's library did until it used fetch: nobody here reads them."""
_FIXED: tuple[Header, ...] = ((b"access-control-allow-methods", b"POST, GET, OPTIONS"), (b"access-control-max-age", b"86400"))
_USUAL = b"authorization, content-type, content-encoding, x-write-key, x-retry-count, traceparent"


def for_page(headers: tuple[Header, ...], origin: bytes) -> tuple[Header, ...]:
    """A door's headers for this page: where credentials are allowed browsers want it named, and `*` is no name."""
    if not origin or headers != CREDENTIALED:
        return headers
    return ((b"access-control-allow-origin", origin), *headers[1:], (b"vary", b"origin"))


def preflight(request: Request) -> Answer:
    """Allows whatever headers the page asks for (clients and tracing libraries add their own), and a door in a private network."""
    asked = request.header(b"access-control-request-headers")
    headers = (*_FIXED, (b"access-control-allow-headers", asked or _USUAL), (b"vary", b"access-control-request-headers"))
    if request.header(b"access-control-request-private-network") == b"true":
        headers = (*headers, (b"access-control-allow-private-network", b"true"))
    return Answer(204, b"", headers)
