"""A client that runs in this process, on the same loop: for virtual time, and for the harness's own tests.

The law: it is treated as a program would be: an exception is exit status 70 with its traceback on standard error, to
be killed is to be cancelled with every task that it made, and what it prints is bounded.
"""

from __future__ import annotations

import asyncio
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Protocol

from brokercert.engine.client.output import Output
from brokercert.engine.client.placeholders import fill
from brokercert.engine.client.subject import (
    STOP,
    Clock,
    Commanded,
    Factory,
    Stream,
    Subject,
    SubjectObserver,
    SubjectSpec,
)
from brokercert.engine.errors import HarnessError

CRASHED = 70  # EX_SOFTWARE of sysexits.h: an internal software error
KILLED = -9
PERSISTENCE = 10  # times that a task which swallows its cancellation is cancelled again
DEATH = 5.0  # seconds, as for a process

_owner: ContextVar[InProcessSubject | None] = ContextVar("brokercert_subject", default=None)


def start_in_process(
    spec: SubjectSpec,
    factory: Factory,
    env: Mapping[str, str],
    observer: SubjectObserver,
    clock: Clock,
    output: Lines | None = None,
) -> InProcessSubject:
    """Start it on the running loop. A factory that raises is a client that crashes, no error of the harness.

    `output` takes the lines that it prints; without one they are told to the observer, within bounds.
    """
    _own_tasks(asyncio.get_running_loop())
    subject = InProcessSubject(spec, observer, clock, output)
    observer.started(clock())
    own = {name: fill(value, env, spec.placeholders) for name, value in spec.env.items()}
    subject.begin(factory, {**own, **env})
    return subject


def _own_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop note the tasks that a client makes: nothing else tells whose a task is (before Python 3.12)."""
    usual = loop.get_task_factory()
    if isinstance(usual, _Factory):
        return
    loop.set_task_factory(_Factory(usual))


class _Factory:
    def __init__(self, usual: Any) -> None:
        self._usual = usual

    def __call__(self, loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> Any:
        task = self._usual(loop, coro, **more) if self._usual else asyncio.Task(coro, loop=loop, **more)
        owner = _owner.get()
        if owner is not None:
            owner.tasks.add(task)
        return task


class Lines(Protocol):
    """Where its lines go. `when_told`: call this once all of them were taken."""

    @property
    def tail(self) -> list[str]: ...

    def line(self, stream: Stream, text: str) -> None: ...

    def when_told(self, then: Callable[[], None]) -> None: ...


class InProcessSubject:
    """One run of a client in this process."""

    def __init__(self, spec: SubjectSpec, observer: SubjectObserver, clock: Clock, output: Lines | None = None) -> None:
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._spec = spec
        self._observer = observer
        self._clock = clock
        self._output: Lines = output or Output(observer, clock, spec.level)
        self._asked = False
        self._ending = False  # that we end it has been told
        self._subject: Subject | None = None
        self._exited = asyncio.Event()
        self._code: int | None = None
        self._run: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._commands: deque[dict[str, Any]] = deque()
        self._telling: asyncio.Task[None] | None = None

    def begin(self, factory: Factory, env: Mapping[str, str]) -> None:
        self._run = asyncio.get_running_loop().create_task(self._live(factory, env))

    async def _live(self, factory: Factory, env: Mapping[str, str]) -> None:
        _owner.set(self)  # in this task's own context, and so in those of the tasks that it makes
        code = KILLED
        try:
            self._subject = factory(env, lambda line: self._output.line("out", line))
            code = await self._subject.run()
        except asyncio.CancelledError:
            code = KILLED
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except Exception as error:  # the client's own: shown as its output, and its exit status
            self._print(error)
            code = CRASHED
        at = self._clock()
        told = asyncio.Event()
        self._output.when_told(told.set)
        while not told.is_set():
            with suppress(asyncio.CancelledError):  # being killed does not unsay what was printed
                await told.wait()
        self._tell_exit(at, code)

    def _tell_exit(self, at: float, code: int) -> None:
        self._code = code
        self._observer.exited(at, code, self._asked)
        self._exited.set()

    def _print(self, error: BaseException) -> None:
        for line in "".join(traceback.format_exception(error)).splitlines():
            self._output.line("err", line)

    @property
    def alive(self) -> bool:
        return not self._exited.is_set()

    @property
    def client(self) -> Subject | None:
        """The client itself, once it was made."""
        return self._subject

    @property
    def exit_code(self) -> int | None:
        return self._code

    @property
    def output(self) -> Output:
        assert isinstance(self._output, Output), "its lines go elsewhere"
        return self._output

    @property
    def tail(self) -> list[str]:
        return self._output.tail

    async def ask_stop(self, judged: bool) -> None:
        if not self.alive or self._spec.stop == "none" or self._stopping is not None:
            return
        self._asked = True
        commanded = self._spec.stop == "command"
        self._observer.stop_asked(self._clock(), "command" if commanded else "in process", judged)
        if not commanded or not self.say({"command": "stop", "id": STOP}):
            self._stopping = asyncio.get_running_loop().create_task(self._stop())

    def say(self, command: Mapping[str, Any]) -> bool:
        """Commands are given in their order, each once the one before it was taken. False: it takes none."""
        if not self.alive or (self._subject is not None and not isinstance(self._subject, Commanded)):
            return False
        self._commands.append(dict(command))
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())
        return True

    async def _tell(self) -> None:
        _owner.set(self)
        while self._commands:
            command = self._commands.popleft()
            if not isinstance(self._subject, Commanded):  # told before it began, and it takes none
                continue
            try:
                await self._subject.command(command)
            except Exception as error:  # the client's own
                self._print(error)

    async def _stop(self) -> None:
        _owner.set(self)
        if self._subject is None:  # asked before it even began
            return
        try:
            await self._subject.stop()
        except Exception as error:  # the client's own
            self._print(error)

    @property
    def process(self) -> int | None:
        return None

    async def wait_exit(self, within: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._exited.wait()
        return self._exited.is_set()

    async def kill(self) -> None:
        """Raises `HarnessError` where a task survives its cancellation.

        Where it has left, the tasks that it forgot are ended without a word: a program's exit would have ended them.
        """
        if self.alive and not self._ending:
            self._ending = True
            self._observer.ending(self._clock(), "asked" if self._asked else "unasked", 0)
        own = [task for task in (self._run, self._stopping, self._telling) if task is not None]
        for _ in range(PERSISTENCE):
            running = {task for task in (*own, *self.tasks) if not task.done()} - {asyncio.current_task()}
            if not running:
                break
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=DEATH / PERSISTENCE)
        else:
            raise HarnessError(f"the client {self._spec.name!r} did not end when its tasks were cancelled")
        if self.alive:  # cancelled before its first step
            self._tell_exit(self._clock(), KILLED)
        for task in self.tasks:
            if not task.cancelled():
                task.exception()  # retrieved, so that the loop does not log it as ours
