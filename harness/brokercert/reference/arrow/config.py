"""What the client is told, by the variables of docs/subject-protocol.md, with the page's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from brokercert.reference.arrow.edition import FIRST, Edition

PREFIX = "BROKERCERT_"
TRACK_TIMEOUT = 300.0
CLEAR_AFTER = 30.0


class ConfigError(Exception):
    """A variable that is missing or cannot be read: names it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Config:
    """Times in seconds. Defaults are the edition's; ours where its page has none (AR Order Execution Tracker).

    `session` is the first of the two credentials, by whichever name the edition has for it.
    """

    url: str
    session: str
    token: str
    rest_url: str = ""  # empty: what was missed cannot be fetched
    renew_url: str = ""  # empty: a session that timed out cannot be renewed
    login_url: str = ""  # of editions with a login: empty, there is none
    app_secret: str = ""
    user: str = ""
    password: str = ""
    orders: tuple[str, ...] = ()  # with a handler of their own
    track: tuple[str, ...] = ()
    level: str = "wire"
    reconnect_max_delay: float = FIRST.max_delay
    reconnect_max_tries: int = FIRST.max_tries
    auto_reconnect: bool = True
    immediate: int = FIRST.immediate
    pong_every: float = FIRST.pong_every
    read_timeout: float = FIRST.read_timeout
    track_timeout: float = TRACK_TIMEOUT
    clear_after: float = CLEAR_AFTER  # ours: a finished order is looked at for so long
    remembered: int = 10_000  # ours: keys by which duplicates are told, the newest
    edition: Edition = FIRST


def config_of(env: Mapping[str, str], edition: Edition = FIRST) -> Config:
    """Raises `ConfigError`."""

    def text(name: str, default: str | None = None) -> str:
        value = env.get(PREFIX + name, "")
        if not value and default is None:
            raise ConfigError(f"{PREFIX}{name} is not set; expected a text")
        return value or default or ""

    def number(name: str, default: float) -> float:
        value = text(name, str(default))
        try:
            found = float(value)
        except ValueError:
            found = -1.0
        if not 0 <= found < 1e9:
            raise ConfigError(f"{PREFIX}{name} = {value!r}; expected a number from 0 up")
        return found

    auto = text("AUTO_RECONNECT", "true").lower()
    if auto not in ("true", "false", "1", "0"):
        raise ConfigError(f"{PREFIX}AUTO_RECONNECT = {auto!r}; expected true or false")
    return Config(
        url=text("URL"),
        session=text(edition.variable),
        token=text("TOKEN"),
        rest_url=text("REST_URL", ""),
        renew_url=text("RENEW_URL", ""),
        login_url=text("LOGIN_URL", ""),
        app_secret=text("APP_SECRET", ""),
        user=text("USER", ""),
        password=text("PASSWORD", ""),
        orders=tuple(filter(None, text("ORDERS", "").split(","))),
        track=tuple(filter(None, text("TRACK", "").split(","))),
        level=text("LEVEL", "wire"),
        reconnect_max_delay=number("RECONNECT_MAX_DELAY", edition.max_delay),
        reconnect_max_tries=round(number("RECONNECT_MAX_TRIES", edition.max_tries)),
        auto_reconnect=auto in ("true", "1"),
        immediate=round(number("IMMEDIATE_ATTEMPTS", edition.immediate)),
        pong_every=number("PING_INTERVAL", edition.pong_every),
        read_timeout=number("READ_TIMEOUT", edition.read_timeout),
        track_timeout=number("TRACK_TIMEOUT", TRACK_TIMEOUT),
        clear_after=number("CLEAR_AFTER", CLEAR_AFTER),
        edition=edition,
    )
