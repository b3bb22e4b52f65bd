"""Which IP addresses are out in the public internet.

The standard library's `is_global` follows the special-purpose registries (RFC 6890), but the
oldest Python that is supported knows them as they were: site-local, 6to4, the whole of
192.0.0.0/24 and a few more pass it there, and so does multicast. So IPv6 is allowed from the one
block that IANA hands out (2000::/3, RFC 4291), and what is missing is named below.

An IPv6 address that holds an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64, ISATAP) is
never public, even when the inner one is: some box on the way would dial that, unchecked. So in a
network that reaches IPv4 through NAT64 only, such addresses must be named.
Tested by tests/unit/media/fetch/test_addresses.py.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address

_IPV6_UNICAST = ip_network("2000::/3")
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata among them
            "192.88.99.0/24",  # relays of 6to4, RFC 7526
            "168.63.129.16/32",  # Azure's host, seen from within
            "2001::/23",  # protocol assignments; Teredo (RFC 4380) among them
            "2001:db8::/32",
            "2002::/16",  # 6to4, RFC 3056
            "3fff::/20",  # documentation, RFC 9637
        ),
    )
)
_PRIVATE_USE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)
# The clouds' metadata services that lie in private ranges: Alibaba, AWS, Google, Oracle.
_METADATA = tuple(
    map(
        ip_address,
        ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe"),
    )
)
# RFC 5214, 6.1: the interface identifier of ISATAP, before its IPv4 address.
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: IPAddress) -> bool:
    """Return whether the address is an ordinary host in the internet."""
    if isinstance(address, IPv6Address) and (
        address not in _IPV6_UNICAST or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
    ):
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not _is_in(address, _NOT_PUBLIC)
    )


def is_private_use(address: IPAddress) -> bool:
    """Return whether it is a host of somebody's own network (RFC 1918, 4193, 6598).

    Not the own machine's, not of one link, and no cloud's metadata service.
    """
    return _is_in(address, _PRIVATE_USE) and address not in _METADATA


def _is_in(address: IPAddress, networks: tuple[object, ...]) -> bool:
    return any(address in network for network in networks)  # type: ignore[operator]
