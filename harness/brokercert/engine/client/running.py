"""A client that runs: what the engine asks of it, whether it is a program or a class in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any, Protocol

from brokercert.engine.client.inprocess import start_in_process
from brokercert.engine.client.output import Output
from brokercert.engine.client.process import start_process
from brokercert.engine.client.subject import Clock, SubjectObserver, SubjectSpec


class RunningSubject(Protocol):
    """One run of a client, in one scenario."""

    @property
    def alive(self) -> bool:
        """Whether its exit has not been told yet."""

    @property
    def exit_code(self) -> int | None: ...

    @property
    def tail(self) -> list[str]:
        """The last 20 lines that it printed, of both streams."""

    @property
    def output(self) -> Output:
        """What it prints, as it is read."""

    def say(self, command: Mapping[str, Any]) -> bool:
        """Give it a command, a line of the process protocol. False where it has no way to hear one."""

    def ask_stop(self, judged: bool) -> Awaitable[None]:
        """Ask it to log off, in the declared way. Returns at once; `judged` where this is a scenario's stimulus."""

    @property
    def process(self) -> int | None:
        """The id of its process, None where it has none of its own."""

    def wait_exit(self, within: float) -> Awaitable[bool]:
        """Wait for its exit for so many seconds. True when it has exited."""

    def kill(self) -> Awaitable[None]:
        """End it and everything that it started. Can be called at any time, and more than once."""


async def start_subject(
    spec: SubjectSpec,
    env: Mapping[str, str],
    observer: SubjectObserver,
    state_dir: Path,
    clock: Clock,
) -> RunningSubject:
    """Start the client. `env` are the BROKERCERT_* variables of this scenario (docs/subject-protocol.md).

    Raises `SubjectError` where its command does not exist or cannot be executed.
    """
    if spec.factory is not None:
        return start_in_process(spec, spec.factory, env, observer, clock)
    return await start_process(spec, env, observer, state_dir, clock)
