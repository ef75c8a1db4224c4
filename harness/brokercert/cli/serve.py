"""`brokercert serve`: the mock broker alone, to try a client by hand. Prints what happens as it happens."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brokercert.cli.options import set_typed
from brokercert.cli.outlet import say
from brokercert.sets import default_set

if TYPE_CHECKING:
    from brokercert_mock.port.origins import Origins
    from brokercert_mock.port.panel import Panel

    from brokercert.engine.play.dialect import Dialect
    from brokercert.live import LivePage
    from brokercert.requirements import RequirementSet
    from brokercert.trace import Body, TraceWriter


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", default=default_set(), show_default=True, help="Whose broker.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 (the default) takes a free one.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Seed of accounts and tokens (default: drawn anew).")
@click.option("--profile", default="", metavar="NAME", help="Named settings of the broker, as `strict-claimed`.")
@click.option("--quiet", is_flag=True, help="Print the variables only, not what happens.")
@click.option("--web", is_flag=True, help="Show the broker live in a browser page, and print its URL.")
@click.option("--web-port", type=click.IntRange(0, 65535), default=0, help="The page's own port; 0 takes a free one.")
@click.option(
    "--allow-origin",
    "allowed",
    multiple=True,
    metavar="ORIGIN",
    help="Take requests with this `Origin` too, as `https://trader.example.com` (repeatable). Others than this"
    " machine's get 403, since any web page could send them.",
)
def serve(
    set_name: str,
    port: int,
    seed: int | None,
    profile: str,
    quiet: bool,
    web: bool,
    web_port: int,
    allowed: tuple[str, ...],
) -> int:
    """Run the mock broker alone, to try a client by hand; Ctrl-C ends it.

    Prints the BROKERCERT_* variables of a client as lines for a shell, then every frame and request.
    """
    from brokercert.engine.errors import UsageError
    from brokercert.engine.loops import run_loop

    if web_port and not web:
        raise UsageError(f"--web-port {web_port}: without --web there is no page; add --web, or leave it out")
    if seed is None:  # whoever runs anything on this machine, a page in a browser too, could know a fixed password
        seed = secrets.randbits(63)
    origins = _origins(allowed)
    rows = set_typed(set_name)
    with tempfile.TemporaryDirectory(prefix="brokercert-") as folder:
        try:
            run_loop(
                _serve(rows, port, seed, profile, quiet, web_port if web else None, origins, Path(folder)),
                lambda: "closing the broker",
            )
        except KeyboardInterrupt:
            return 0  # that is how it is ended
    return 0


async def _serve(
    rows: RequirementSet,
    port: int,
    seed: int,
    profile: str,
    quiet: bool,
    web_port: int | None,
    origins: Origins,
    folder: Path,
) -> None:
    from brokercert.engine.client.environment import subject_environment
    from brokercert.engine.errors import UsageError
    from brokercert.engine.play.broker import Guarded, Shown
    from brokercert.engine.play.scenario import load_dialect

    loop = asyncio.get_running_loop()
    began = loop.time()
    writer = _writer(seed, began, quiet)
    dialect = load_dialect(rows.id)
    broker = dialect.broker(_settings(dialect, profile), writer, seed, None)
    page: LivePage | None = None
    if isinstance(broker, Guarded):
        broker.origins = origins
    elif origins.named:
        raise UsageError(f"--allow-origin: the broker of {rows.name} takes every origin; leave --allow-origin out")
    try:
        with _port("--port", port):
            await broker.start(port=port)
        env = subject_environment(broker, host="127.0.0.1", port=broker.port, scenario="by-hand", state_dir=folder)
        for name, value in env.items():
            say(f"export {name}={shlex.quote(value)}")
        if web_port is not None:
            if not isinstance(broker, Shown):
                raise UsageError(f"--web: the broker of {rows.name} has no page yet; leave --web out")
            page = _page(broker.panel(), writer, lambda: loop.time() - began, {"WebSocket": broker.url})
            with _port("--web-port", web_port):
                await page.start(web_port)
            say(f"# the page: {page.url}")
        await asyncio.Event().wait()
    finally:
        if page is not None:
            await page.close()
        await broker.close()


def _origins(allowed: Iterable[str]) -> Origins:
    """This machine's own, and those that the option names. Raises `UsageError`."""
    from brokercert_mock.port.origins import Origin, OriginError, Origins

    from brokercert.engine.errors import UsageError

    named = set()
    for text in allowed:
        try:
            named.add(Origin.read(text))
        except OriginError as error:
            raise UsageError(f"--allow-origin {text}: {error}; as https://trader.example.com") from error
    advice = "to allow it, end brokercert serve and start it with --allow-origin ORIGIN"
    return Origins(frozenset(named), here=True, advice=advice)


def _settings(dialect: Dialect, profile: str) -> Mapping[str, Any]:
    """What a profile of that broker says; none, its defaults. Raises `UsageError`."""
    if not profile:
        return {}
    if profile not in dialect.profiles:
        from brokercert.engine.errors import UsageError

        known = ", ".join(dialect.profiles) or f"none: the broker of {dialect.name} has no profile"
        raise UsageError(f"--profile {profile}: expected {known}")
    return dialect.profiles[profile]


@contextmanager
def _port(option: str, port: int) -> Iterator[None]:
    """A port that cannot be had is wrong use."""
    try:
        yield
    except OSError as error:
        from brokercert.engine.errors import UsageError

        raise UsageError(f"{option} {port}: {error.strerror}; expected a free port, or 0") from error


def _page(panel: Panel, writer: TraceWriter, clock: Callable[[], float], facts: dict[str, str]) -> LivePage:
    """The page that shows what `writer` is told, and the panel."""
    from brokercert_reports.live import render_live

    from brokercert.live import Feed, LivePage

    feed = Feed(panel.beats)
    writer.watchers.append(feed.tell)
    return LivePage(feed, panel, page=render_live, redact=writer.redact, clock=clock, facts=facts)


def _writer(seed: int, began: float, quiet: bool) -> TraceWriter:
    """A recorder that prints instead of keeping: secrets as labels, nothing remembered."""
    from importlib.metadata import version

    from brokercert.judge.excerpt import line
    from brokercert.trace import Header, TraceWriter
    from brokercert.trace.records import TRACE_FORMAT

    header = Header(
        format=TRACE_FORMAT,
        tool=f"brokercert {version('brokercert')}",
        tier="real",
        clock="monotonic",
        source="mock",
        set_id="",
        set_version="",
        set_hash="",
        scenario="by-hand",
        exercises=(),
        path="direct",
        exclusive=False,
        seed=seed,
        subject="",
        level="wire",
        offers=(),
        absent={},
        readings={},
        limits={},
    )
    writer = TraceWriter(None, header, began=began)

    def tell(record: Body) -> None:
        writer.records.clear()  # it may run for days
        if not quiet:
            shown = line(0, record)
            say(f"{shown.at:9.3f}  {shown.conn or '':>3}  {shown.who:<7}  {shown.text}")

    writer.watchers.append(tell)
    return writer
