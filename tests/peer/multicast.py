"""Whether machines can find each other on this one's loopback interface."""

from __future__ import annotations

import socket

import pytest

from tests.peer.machines import LOOPBACK


def multicast_works() -> bool:
    """Whether what is sent to a group on the loopback interface comes back."""
    group = "224.0.0.251"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hears,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as says,
    ):
        try:
            hears.bind(("", 0))
            member = socket.inet_aton(group) + socket.inet_aton(LOOPBACK)
            hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            says.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
            hears.settimeout(2)
            says.sendto(b"x", (group, hears.getsockname()[1]))
            return hears.recv(1) == b"x"
        except OSError:
            return False


needs_multicast = pytest.mark.skipif(not multicast_works(), reason="no multicast on loopback")
