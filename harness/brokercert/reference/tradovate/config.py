"""What the reference client is told, and its own numbers, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ENTITY_TYPES = (
    "user",
    "account",
    "accountRiskStatus",
    "marginSnapshot",
    "cashBalance",
    "currency",
    "position",
    "fillPair",
    "order",
    "contract",
    "contractMaturity",
    "product",
    "exchange",
    "command",
    "commandReport",
    "executionReport",
    "orderVersion",
    "fill",
    "fillFee",
    "orderStrategy",
    "orderStrategyLink",
)

LEVELS = ("wire", "reports", "commands")


class ConfigError(Exception):
    """The environment lacks something: says what, and how to give it."""


@dataclass(frozen=True, slots=True)
class Config:
    """Times in seconds."""

    url: str
    rest_url: str
    token: str
    expires: str = ""  # ISO-8601; empty: not known
    user: str = ""
    password: str = ""
    app_id: str = ""
    app_version: str = ""
    cid: str = ""
    sec: str = ""
    device_id: str = ""
    shards: int = 1
    ca: str = ""
    dns: str = ""  # host:port of a name server; empty: the system's
    symbols: tuple[str, ...] = ()  # of quotes that each socket subscribes to
    level: str = "wire"  # how much it says and takes: wire, reports, commands
    entity_types: tuple[str, ...] = ENTITY_TYPES

    heartbeat_every: float = 2.5  # TP §1.3
    connect_within: float = 8.0  # TCP, TLS and upgrade; below the recommended 10
    open_within: float = 8.0
    answer_within: float = 8.0  # of authorize
    request_within: float = 30.0  # of any other request: large snapshots take their time
    silence_within: float = 10.0  # `h` comes every 2.5 s; the official client's watchdog is 10 s too (TP §10)
    close_within: float = 1.0  # what a silent server's close handshake may cost on top
    first_delay: float = 0.5
    longest_delay: float = 10.0
    stable_after: float = 60.0  # only after so long does the ladder start again (TP §11, row 11)
    lockout: float = 3600.0  # after 429, and before a captcha ticket's request is tried again (TP §7)
    refused_delay: float = 25.0  # between uses of credentials that were refused: three in 60 s is the most
    largest_message: int = 16 * 1024 * 1024  # bytes: snapshots exceed 1 MiB (TP §11, row 10)

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Config:
        """From the BROKERCERT_* variables. Raises `ConfigError`."""

        def need(name: str) -> str:
            value = env.get(name, "")
            if not value:
                raise ConfigError(f"{name} is not set; expected the environment that `brokercert certify` gives")
            return value

        shards = env.get("BROKERCERT_SHARDS") or "1"
        if not shards.isdigit() or not 1 <= int(shards) <= 50:
            raise ConfigError(f"BROKERCERT_SHARDS is {shards!r}; expected a number from 1 to 50")
        level = env.get("BROKERCERT_LEVEL") or "wire"
        if level not in LEVELS:
            raise ConfigError(f"BROKERCERT_LEVEL is {level!r}; expected one of {', '.join(LEVELS)}, or nothing")
        return cls(
            url=need("BROKERCERT_URL"),
            rest_url=need("BROKERCERT_REST_URL"),
            token=env.get("BROKERCERT_TOKEN", ""),
            expires=env.get("BROKERCERT_TOKEN_EXPIRES", ""),
            user=env.get("BROKERCERT_USER", ""),
            password=env.get("BROKERCERT_PASSWORD", ""),
            app_id=env.get("BROKERCERT_APP_ID", ""),
            app_version=env.get("BROKERCERT_APP_VERSION", ""),
            cid=env.get("BROKERCERT_CID", ""),
            sec=env.get("BROKERCERT_SEC", ""),
            device_id=env.get("BROKERCERT_DEVICE_ID", ""),
            shards=int(shards),
            ca=env.get("BROKERCERT_CA", ""),
            dns=env.get("BROKERCERT_DNS", ""),
            symbols=tuple(x.strip() for x in env.get("BROKERCERT_QUOTES", "").split(",") if x.strip()),
            level=level,
        )
