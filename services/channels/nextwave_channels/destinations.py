"""Where requests may go to that somebody outside chose the address of: https to public addresses. Pure; whoever connects asks here.

Addresses are the allowed ones rather than all but the forbidden: of IPv6 only global unicast without its reserved parts, so that no
mapped (`::ffff:10.0.0.1`), translated (`64:ff9b::`), tunnelled (`2002::`, `2001::`) or local address is another way to a private one.
Source: the IANA registries of special-purpose addresses for IPv4 and IPv6.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_RESERVED: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(written)
    for written in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own service for its virtual machines, at an address that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_GLOBAL_V6 = IPv6Network("2000::/3")


def fault_of(url: str, *, loopback: bool) -> str:
    """Why nothing may be sent to this URL, whatever addresses its host's name has; empty: it may.

    `loopback`: plain http and this machine are allowed, too.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "it is no URL"
    if parts.scheme not in ({"https", "http"} if loopback else {"https"}):
        return "it must begin with https://"
    if not host or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        return "it must name a host, in ASCII and without spaces"
    if "@" in parts.netloc or parts.fragment:
        return "it must have no user, password or fragment"
    if _is_number(host) and not is_allowed(host, loopback=loopback):
        return "its host must be a name, or a public address"
    return "port 0 is none" if port == 0 else ""


def _is_number(host: str) -> bool:
    """Whether it is an address and no name: so is whatever ends in a number (`0x7f.1`, `2130706433`), as browsers and resolvers read it."""
    return ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def is_allowed(address: str, *, loopback: bool) -> bool:
    """Whether one may connect to this IP address. `loopback`: to this machine, too."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if any(ip in network for network in _LOOPBACK):
        return loopback
    if ip.version == 6 and (ip not in _GLOBAL_V6 or ip.scope_id is not None):
        return False
    return not any(ip in network for network in _RESERVED)


def pinned(addresses: Sequence[str], *, secure: bool, loopback: bool) -> str | None:
    """The address to connect to of those that a host has; None when any of them is forbidden: then the name is not to be trusted at all.

    Without TLS (`secure`) nothing but this machine is connected to.
    """
    only_here = loopback and not secure
    fine = [address for address in addresses if is_allowed(address, loopback=loopback) and (not only_here or is_loopback(address))]
    return fine[0] if fine and len(fine) == len(addresses) else None


def is_loopback(address: str) -> bool:
    """Whether the address is this machine's own."""
    return any(ip_address(address) in network for network in _LOOPBACK)
