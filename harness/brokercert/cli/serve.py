"""`brokercert serve`: the mock broker alone, to try a client by hand. Prints what happens as it happens."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from brokercert.trace import Body, TraceWriter


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 (the default) takes a free one.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of accounts and tokens.")
@click.option("--quiet", is_flag=True, help="Print the variables only, not what happens.")
def serve(port: int, seed: int, quiet: bool) -> int:
    """Run the mock broker alone, to try a client by hand; Ctrl-C ends it.

    Prints the BROKERCERT_* variables of a client as lines for a shell, then every frame and request.
    """
    with tempfile.TemporaryDirectory(prefix="brokercert-") as folder:
        try:
            asyncio.run(_serve(port, seed, quiet, Path(folder)))
        except KeyboardInterrupt:
            return 0  # that is how it is ended
        except OSError as error:
            from brokercert.engine.errors import UsageError

            raise UsageError(f"--port {port}: {error.strerror}; expected a free port, or 0") from error
    return 0


async def _serve(port: int, seed: int, quiet: bool, folder: Path) -> None:
    from brokercert_mock import TradovateBroker

    from brokercert.engine.environment import subject_environment

    writer = _writer(seed, asyncio.get_running_loop().time(), quiet)
    broker = TradovateBroker(recorder=writer, seed=seed)
    await broker.start(port=port)
    try:
        env = subject_environment(broker, host="127.0.0.1", port=broker.port, scenario="by-hand", state_dir=folder)
        for name, value in env.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        await asyncio.Event().wait()
    finally:
        await broker.close()


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
            click.echo(f"{shown.at:9.3f}  {shown.conn or '':>3}  {shown.who:<7}  {shown.text}")

    writer.watchers.append(tell)
    return writer
