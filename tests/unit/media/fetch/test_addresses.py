"""Addresses of the internet, and all the others."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from service.media.fetch.addresses import is_private_use, is_public

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
]
# The special-purpose registries (RFC 6890 and after), and multicast: those where no web host is.
NOT_PUBLIC = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "168.63.129.16/32",
    "::/128",
    "::1/128",
    "::ffff:0:0/96",
    "::/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_a_host_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert not is_private_use(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_no_address_of_a_special_block_is_public(text: str) -> None:
    network = ip_network(text)
    middle = network[network.num_addresses // 2]
    assert [is_public(address) for address in (network[0], middle, network[-1])] == [False] * 3


@pytest.mark.parametrize(
    "text",
    [
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::",
        "2606:4700::5efe:808:808",
        "2606:4700::200:5efe:808:808",
    ],
)
def test_ipv6_with_a_public_ipv4_address_inside_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"])
def test_an_own_networks_address_is_private_use(text: str) -> None:
    assert is_private_use(ip_address(text))
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "169.254.169.254", "100.100.100.200", "fd00:ec2::254", "::ffff:10.0.0.1", "::1"],
)
def test_own_machine_link_and_metadata_are_not_private_use(text: str) -> None:
    assert not is_private_use(ip_address(text))
    assert not is_public(ip_address(text))
