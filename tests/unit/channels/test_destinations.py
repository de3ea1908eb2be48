"""Nothing is sent to an address inside, however it is written: by number, mapped, translated, tunnelled, or behind a name."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_channels.destinations import fault_of, is_allowed, pinned

FORBIDDEN = (
    *("0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("168.63.129.16", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7"),
    *("203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1"),
    *("64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378::1"),
    *("3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "2606:4700::1%1"),
    *("", "localhost", "1.2.3", "0x7f000001", "2130706433", "127.1", "010.0.0.1", "1.2.3.4.5", "[::1]", "8.8.8.8/32"),
)
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1")


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_never_connected_to(address: str) -> None:
    assert not is_allowed(address, loopback=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_allowed(address, loopback=False)


@given(st.ip_addresses(v=4))
def test_no_address_is_allowed_that_the_standard_library_calls_private_or_multicast(ip: IPv4Address) -> None:
    if is_allowed(str(ip), loopback=False):
        assert ip.is_global
        assert not ip.is_multicast


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_is_allowed_that_leads_to_an_ipv4_one(ip: IPv6Address) -> None:
    if is_allowed(str(ip), loopback=True) and not ip.is_loopback:
        assert ip.is_global
        assert (ip.ipv4_mapped, ip.sixtofour, ip.teredo) == (None, None, None)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_never_another_way_in(ip: IPv4Address) -> None:
    assert not is_allowed(f"::ffff:{ip}", loopback=True)
    assert not is_allowed(str(IPv6Address((0x0064FF9B << 96) + int(ip))), loopback=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.200.0.1", "::1"])
def test_this_machine_is_reached_where_it_was_allowed_and_nothing_else_inside(address: str) -> None:
    assert is_allowed(address, loopback=True)
    assert not is_allowed("10.0.0.1", loopback=True)
    assert pinned([address], secure=False, loopback=True) == address


@pytest.mark.parametrize(
    ("addresses", "secure", "loopback", "expected"),
    [
        (["1.1.1.1", "8.8.8.8"], True, False, "1.1.1.1"),
        (["1.1.1.1", "10.0.0.1"], True, False, None),
        (["10.0.0.1", "1.1.1.1"], True, False, None),
        ([], True, False, None),
        (["127.0.0.1"], True, False, None),
        (["127.0.0.1"], True, True, "127.0.0.1"),
        (["1.1.1.1"], False, True, None),
        (["1.1.1.1"], True, True, "1.1.1.1"),
    ],
)
def test_a_name_with_one_forbidden_address_has_none_and_without_tls_only_this_machine_is_called(
    addresses: list[str],
    secure: bool,
    loopback: bool,
    expected: str | None,
) -> None:
    assert pinned(addresses, secure=secure, loopback=loopback) == expected


@pytest.mark.parametrize(
    ("url", "loopback", "is_fine"),
    [
        ("https://hooks.example/in?x=1", False, True),
        ("https://hooks.example:8443", False, True),
        ("http://hooks.example", False, False),
        ("http://127.0.0.1:9000/in", True, True),
        ("ftp://hooks.example", True, False),
        ("gopher://hooks.example", False, False),
        ("file:///etc/passwd", False, False),
        ("https://", False, False),
        ("https://user:pw@hooks.example", False, False),
        ("https://hooks.example@10.0.0.1/", False, False),
        ("https://hooks.example/#x", False, False),
        ("https://hooks.example:99999/", False, False),
        ("https://hooks.example:0/", False, False),
        ("https://hooks.example/a b", False, False),
        ("https://hooks.example/\r\nx: y", False, False),
        ("https://ⓛocalhost/", False, False),
        ("https://[::1/", False, False),
        ("https://93.184.216.34/in", False, True),
        ("https://10.0.0.1/in", False, False),
        ("https://10.0.0.1/in", True, False),
        ("https://10.0.0.1./in", False, False),
        ("https://[::ffff:10.0.0.1]/in", False, False),
        ("https://[2606:4700:4700::1111]/in", False, True),
        ("https://2130706433/in", True, False),
        ("https://0X7F.1/in", True, False),
        ("https://hooks.0x/in", False, False),
        ("https://3com.example/in", False, True),
        ("", False, False),
    ],
)
def test_a_url_is_https_with_a_plain_host_and_nothing_else(url: str, loopback: bool, is_fine: bool) -> None:
    assert (fault_of(url, loopback=loopback) == "") is is_fine
