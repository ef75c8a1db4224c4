"""A secret in every disguise that clients, loggers and languages were seen to give it, and some that they might."""

from __future__ import annotations

import base64
import codecs
import html
import json
import quopri
from collections.abc import Callable
from urllib.parse import quote


def each(written: str, joined: str = "") -> Callable[[str], str]:
    """All bytes of the secret, each written in that way."""
    return lambda secret: joined.join(written.format(byte) for byte in secret.encode())


def encoded(encode: Callable[[bytes], bytes], before: bytes = b"") -> Callable[[str], str]:
    return lambda secret: encode(before + secret.encode()).decode()


def twice_in_base64(secret: str) -> str:
    """Basic credentials within a JSON Web Token."""
    inner = base64.b64encode(b"user:" + secret.encode()).decode()
    return base64.urlsafe_b64encode(json.dumps({"basic": inner}).encode()).decode()


WHOLE: dict[str, Callable[[str], str]] = {
    "as it is": lambda s: s,
    "twice URL-encoded": lambda s: quote(quote(f"a b/{s}+=", safe=""), safe=""),
    "percent, all": each("%{:02X}"),
    "percent, all, twice": lambda s: quote(each("%{:02x}")(s)),
    "hexadecimal": each("{:02x}"),
    "hexadecimal, upper case": each("{:02X}"),
    "hexadecimal, colons": each("{:02x}", ":"),
    "hexadecimal, dashes": each("{:02X}", "-"),
    "a buffer of Node": lambda s: f"<Buffer {each('{:02x}', ' ')(s)}>",
    "hexadecimal, 0x": each("0x{:02x}", ", "),
    "hexadecimal, 0x, no comma": each("0x{:02x}", " "),
    "hexadecimal of UTF-16": lambda s: s.encode("utf-16-le").hex(),
    "hexadecimal of UTF-16, big end first": lambda s: s.encode("utf-16-be").hex(" "),
    "escapes, x": each("\\x{:02x}"),
    "escapes, x, in JSON": lambda s: json.dumps(each("\\x{:02x}")(s)),
    "escapes, u": each("\\u{:04x}"),
    "escapes, u, in JSON in JSON": lambda s: json.dumps(json.dumps(each("\\u{:04X}")(s))),
    "escapes, u in braces": lambda s: "".join(f"\\u{{{ord(c):x}}}" for c in s),
    "escapes, octal": each("\\{:03o}"),
    "code points": each("U+{:04X}", " "),
    "octal": each("{:o}", " "),
    "octal, three digits": each("{:03o}", " "),
    "binary": each("{:08b}", " "),
    "bytes of Go": lambda s: f"[{each('{}', ' ')(s)}]",
    "bytes of Python": lambda s: repr(list(s.encode())),
    "bytes, a line each": each("{}", ",\n"),
    "bytes by their places": lambda s: json.dumps({str(i): byte for i, byte in enumerate(s.encode())}),
    "characters of Python": lambda s: repr(list(s)),
    "characters in JSON": lambda s: json.dumps(list(s)),
    "characters by their places": lambda s: json.dumps(dict(enumerate(s))),
    "characters, spaced": lambda s: " ".join(s),
    "characters, dashes": lambda s: "-".join(s),
    "quoted-printable, all": each("={:02X}"),
    "quoted-printable, folded": lambda s: quopri.encodestring(("x" * 30 + s).encode()).decode(),
    "HTML, decimal": each("&#{};"),
    "HTML, hexadecimal": each("&#x{:X};"),
    "HTML, names": lambda s: html.escape(f"<{s}>"),
    "UTF-16": lambda s: s.encode("utf-16").decode("latin-1"),
    "UTF-16, big end first": lambda s: s.encode("utf-16-be").decode("latin-1"),
    "UTF-32": lambda s: s.encode("utf-32-le").decode("latin-1"),
    "base32": encoded(base64.b32encode),
    "base32, within, lower case": lambda s: encoded(base64.b32encode, b"user:")(s).lower(),
    "base64": encoded(base64.b64encode),
    "base64, within": encoded(base64.b64encode, b"user:"),
    "base64, within, no padding": lambda s: encoded(base64.urlsafe_b64encode, b"us:")(s).rstrip("="),
    "base64, line ends": encoded(base64.encodebytes, b"x" * 40),
    "base64, line ends in JSON": lambda s: json.dumps(encoded(base64.encodebytes, b"x" * 39)(s)),
    "base64 in base64": lambda s: encoded(base64.b64encode)(encoded(base64.b64encode, b"u:")(s)),
    "base64 in base64, within": twice_in_base64,
    "base85": encoded(base64.b85encode),
    "base85, within": encoded(base64.b85encode, b"abc"),
    "Ascii85": encoded(base64.a85encode, b"a"),
    "upper case": str.upper,
    "lower case": str.lower,
    "a colour within": lambda s: f"{s[:20]}\x1b[31m{s[20:40]}\x1b[0m{s[40:]}",
    "a colour within, in JSON": lambda s: json.dumps(f"{s[:20]}\x1b[31;1m{s[20:]}"),
    "no width within": "\u200b".join,
    "NUL within": lambda s: f"{s[:30]}\0{s[30:]}",
    "CR within": lambda s: f"{s[:30]}\r{s[30:]}",
    "two lines": lambda s: f"{s[:30]}\n{s[30:]}",
    "lines of eight": lambda s: "\n".join(s[i : i + 8] for i in range(0, len(s), 8)),
    "lines of eight, in JSON": lambda s: json.dumps("\r\n".join(s[i : i + 8] for i in range(0, len(s), 8))),
    "backwards": lambda s: s[::-1],
    "rot13": lambda s: codecs.encode(s, "rot13"),
}
PARTS: dict[str, Callable[[str], str]] = {
    "all but the last": lambda s: s[:-4],
    "all but the first": lambda s: s[4:],
    "the first twelve": lambda s: s[:12],
    "the last sixteen, upper case": lambda s: s[-16:].upper(),
    "a buffer of Node, cut": lambda s: f"<Buffer {each('{:02x}', ' ')(s[:50])} ... {len(s) - 50} more bytes>",
    "bytes, cut": lambda s: f"[{each('{}', ' ')(s[:20])} ...",
    "base64, cut": lambda s: encoded(base64.b64encode)(s)[:30],
    "percent, cut": lambda s: each("%{:02X}")(s[:20]),
}
