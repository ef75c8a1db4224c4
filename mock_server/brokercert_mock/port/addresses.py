"""Where a broker listens: every address of the name by which it is reached, on one port.

A client may take any address that a name has. Where it is served on some of them only, a correct client meets a refused
connection that is none of its doing.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence

TRIES = 20  # free ports, until one is free on every address
ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}  # this machine has no such address


class AddressError(Exception):
    """A name of this machine cannot be served: says which, why, and what to do."""


async def addresses_of(host: str, name: str = "") -> tuple[str, ...]:
    """Where to listen for clients that are told `host`, or `name`: `host` first. Raises `AddressError`."""
    found = [host] if is_address(host) else (await loopback_of(host))[0]
    return tuple(dict.fromkeys((*found, *((await loopback_of(name))[0] if name else ()))))


def is_address(text: str) -> bool:
    """Whether it is a number that needs no looking up."""
    return address_in(text) is not None


def is_loopback(host: str) -> bool:
    """Whether a host, in lower case and without brackets, is this machine's own: by its name, or as 127.0.0.0/8 or ::1.

    Any other name is not: what it leads to can change, and is not asked for here.
    """
    address = address_in(host)
    return host == "localhost" if address is None else address.is_loopback


def address_in(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is; the IPv4 one where it is mapped into IPv6. None: it is a name, or nothing."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


async def loopback_of(name: str) -> tuple[list[str], list[str]]:
    """The addresses of `name` on which this machine can be reached, and those that it does not have.

    A machine without IPv6 may still list `::1` for a name. Nobody there can connect to it, so every client goes on to
    the next address, and it need not be served. Raises `AddressError` where no address is left, where one is not
    loopback, or where one that this machine has cannot be listened on.
    """
    found = await _looked_up(name)
    here, absent = [], []
    for address in found:
        if not ipaddress.ip_address(address).is_loopback:
            raise AddressError(
                f"the name {name!r} leads to {address}; expected loopback addresses alone;"
                f" correct the line of {name!r} in the hosts file"
            )
        try:
            bound(address, 0).close()
            here.append(address)
        except OSError as error:
            if error.errno not in ABSENT:
                raise AddressError(
                    f"the name {name!r} leads to {address}, where nothing can listen: {error.strerror};"
                    f" expected to serve every address of the name; let this user listen there, or correct the line of"
                    f" {name!r} in the hosts file"
                ) from error
            absent.append(address)
    if not here:
        raise AddressError(
            f"the name {name!r} leads to {', '.join(absent)}, which this machine does not have;"
            f" expected a loopback address; add `127.0.0.1 {name}` to the hosts file, or enable IPv6"
        )
    return here, absent


async def _looked_up(name: str) -> list[str]:
    """Every address of `name`, in the order in which clients are given them."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise AddressError(
            f"the name {name!r} has no address on this machine: {why};"
            f" expected a loopback address; add `127.0.0.1 {name}` to the hosts file"
        ) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def bound(address: str, port: int) -> socket.socket:
    """A socket with that address and port, not listening yet. Raises OSError."""
    is_v6 = ":" in address
    made = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_v6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setblocking(False)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made


def bound_to_all(addresses: Sequence[str], port: int = 0) -> list[socket.socket]:
    """A socket for each address, all with one port; 0 takes one that is free on all. Raises OSError."""
    for left in reversed(range(TRIES)):
        made: list[socket.socket] = []
        try:
            for address in addresses:
                made.append(bound(address, made[0].getsockname()[1] if made else port))
            return made
        except OSError as error:
            for one in made:
                one.close()
            if port or not left or not made or error.errno != errno.EADDRINUSE:
                raise
    raise AssertionError("the last try returns or raises")
