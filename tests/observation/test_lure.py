"""Hosts of links: a redirector's own, and that of the address which it carries."""

from __future__ import annotations

import pytest

from spamtide.observation.lure import link_domains, link_hosts


@pytest.mark.parametrize(
    ("link", "hosts"),
    [
        ("http://Shop.Example.org/x", ("shop.example.org",)),
        (
            "https://www.example.com/url?q=http://shop.example.org/x&sa=D",
            ("www.example.com", "shop.example.org"),
        ),
        ("http://rd.example.com/**http%3A//shop.example.org/x", ("rd.example.com", "shop.example.org")),
        ("http://a.example.com/?u=HTTPS%3a%2F%2FB.example.org%2Fx", ("a.example.com", "b.example.org")),
        ("http://a.example.com/httpdocs/http.html", ("a.example.com",)),
        ("http://a.example.com/?x=http://192.0.2.1/", ("a.example.com",)),
        ("http://a.example.com/?x=http://..", ("a.example.com",)),
        ("ftp://a.example.com/?x=http://b.example.com", ()),
    ],
)
def test_a_redirector_gives_both_hosts(link: str, hosts: tuple[str, ...]) -> None:
    assert link_hosts([link]) == hosts


def test_domains_are_registered_ones() -> None:
    assert link_domains(["www.a.co.uk", "b.a.co.uk", "192.0.2.1", "localhost"]) == ("a.co.uk",)
