"""A client that is a program: started in a session of its own, read without pause, ended with everything it started.

The law: what it prints never stops it (both pipes are always drained), and after `kill` nothing of it runs: neither
grandchildren that ignore SIGTERM, nor daemons that made themselves sessions; nor when the harness itself is killed.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from brokercert.engine.client import leftovers
from brokercert.engine.client.command import environment_of, find_command
from brokercert.engine.client.guard import GUARD
from brokercert.engine.client.output import Output
from brokercert.engine.client.placeholders import fill
from brokercert.engine.client.subject import STOP, Clock, Stream, SubjectError, SubjectObserver, SubjectSpec
from brokercert.engine.errors import HarnessError
from brokercert.engine.machine.descriptors import SHORT, for_a_client
from brokercert.trace.records import Why

LAST_OUTPUT = 0.25  # seconds after its exit in which its last output is awaited, where someone else holds its pipes
FLOOD_PAUSE = 0.005  # seconds between two readings of a flood: 13 MB/s of 64 KiB pipes, at a few % of a core
LOOK = 0.05  # seconds between two looks at whether somebody lingers
MOST_UNREAD = 1024 * 1024  # bytes of commands that a client which reads none may make the harness hold
LOWERED = 10  # its niceness then: a core that both want goes to the harness nine times in ten
LOOKS = 600  # after SIGKILL, `leftovers.PAUSE` apart: the kernel may take seconds to close ten thousand sockets
TURNS = 600  # of the loop, `leftovers.PAUSE` apart, without a sign of the exit being told: it will not be


_STREAMS: dict[int, Stream] = {1: "out", 2: "err"}


async def start_process(
    spec: SubjectSpec, env: Mapping[str, str], observer: SubjectObserver, state_dir: Path, clock: Clock
) -> ProcessSubject:
    """Start the program. Raises `SubjectError`, and `HarnessError` where the harness has no room to start anything."""
    assert spec.command is not None
    (state_dir / "tmp").mkdir(parents=True, exist_ok=True)
    environ = environment_of(spec, env, state_dir)
    program = find_command(spec, environ)
    arguments = [fill(argument, env, spec.placeholders) for argument in spec.command[1:]]
    mark = str(state_dir)
    loop = asyncio.get_running_loop()
    subject = ProcessSubject(spec, observer, mark, clock)
    try:
        GUARD.watch(mark)
        await loop.subprocess_exec(
            lambda: subject,
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=spec.cwd,
            env=environ,
            start_new_session=True,
            preexec_fn=for_a_client(leftovers.tag_of(mark)),
        )
    except OSError as error:
        GUARD.forget(mark)
        if error.errno in SHORT:
            raise HarnessError(
                f"the harness had no room to start a client: {error.strerror}; lower --jobs, or raise `ulimit -n` "
                "(open files) and `ulimit -u` (processes)"
            ) from error
        why = error.strerror or str(error)
        if error.errno == errno.ENOEXEC:
            why += "; name its interpreter before it, or in a first line as in #!/bin/sh"
        raise SubjectError(f"the client's command {spec.command[0]!r} could not be started: {why}") from error
    except BaseException:  # cancelled while it was being started: it may be there already
        observer.ending(clock(), "unasked", 0)
        leftovers.end_all({mark: subject.pid}, quiet_rounds=leftovers.QUIET_ROUNDS)
        subject.let_go()
        GUARD.forget(mark)
        raise
    GUARD.watch(mark, subject.pid)
    if spec.lowered and subject.pid is not None:
        with suppress(OSError):  # it has just gone; or such a system has no priorities
            os.setpriority(os.PRIO_PGRP, subject.pid, LOWERED)
    observer.started(clock())
    return subject


class ProcessSubject(asyncio.SubprocessProtocol):
    """One run of a program."""

    def __init__(self, spec: SubjectSpec, observer: SubjectObserver, mark: str, clock: Clock) -> None:
        self._spec = spec
        self._observer = observer
        self._mark = mark
        self._clock = clock
        self._output = Output(observer, clock, spec.level)
        self._transport: asyncio.SubprocessTransport | None = None
        self._open: set[Stream] = set(_STREAMS.values())
        self._asked = False
        self._died = asyncio.Event()  # the process is gone
        self._exited = asyncio.Event()  # and that has been told
        self._telling: asyncio.Task[None] | None = None
        self._killing: asyncio.Task[None] | None = None
        self._ending = False  # that we end it has been told
        self._drained = asyncio.Event()
        self._code: int | None = None
        self.pid: int | None = None

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self.pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        assert isinstance(data, bytes)
        self._output.feed(_STREAMS[fd], data)
        if self._output.full:
            self._slow_down(fd)

    def _slow_down(self, fd: int) -> None:
        """Go on reading, but not at full speed: 40 clients that flood must not keep the loop from all else."""
        pipe = self._transport.get_pipe_transport(fd) if self._transport else None
        if isinstance(pipe, asyncio.ReadTransport):
            pipe.pause_reading()
            asyncio.get_running_loop().call_later(FLOOD_PAUSE, pipe.resume_reading)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd in _STREAMS and _STREAMS[fd] in self._open:
            self._close_stream(_STREAMS[fd])

    def process_exited(self) -> None:
        assert self._transport is not None
        self._died.set()
        self._telling = asyncio.get_running_loop().create_task(self._tell_exit(self._transport.get_returncode()))

    def _close_stream(self, stream: Stream) -> None:
        self._open.discard(stream)
        self._output.end(stream)
        if not self._open:
            self._drained.set()

    async def _tell_exit(self, code: int | None) -> None:
        """Tell the exit once the last output is told, and whoever was to stop with it has stopped."""
        assert code is not None
        at = self._clock()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_OUTPUT):
                await self._drained.wait()
        if self._asked and self._killing is None:
            await self._lingering()
            at = self._clock() if self._clock() - at > 2 * LAST_OUTPUT else at
        for stream in list(self._open):
            self._output.end(stream)
        told = asyncio.Event()
        self._output.when_told(told.set)
        await told.wait()
        self._code = code
        self._observer.exited(at, code, self._asked)
        self._exited.set()

    async def _lingering(self) -> None:
        """Wait for the rest of its process group, until `kill`: a wrapper (sh -c, npm) that died of the signal meant
        for both may leave its client behind, which has as much time as one that has no wrapper.
        """
        while self._group_exists() and self._killing is None:
            if not await asyncio.to_thread(leftovers.belonging, {self._mark: self.pid}):
                return  # zombies only
            await asyncio.sleep(LOOK)

    def _group_exists(self) -> bool:
        assert self.pid is not None
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def let_go(self) -> None:
        """Close our ends of its pipes, if it has any yet."""
        if self._transport is not None:
            self._transport.close()

    # What the engine asks.

    @property
    def alive(self) -> bool:
        return not self._exited.is_set()

    @property
    def exit_code(self) -> int | None:
        return self._code

    @property
    def output(self) -> Output:
        return self._output

    @property
    def tail(self) -> list[str]:
        return self._output.tail

    async def ask_stop(self, judged: bool) -> None:
        """SIGTERM to its process group (as service managers do, so that wrappers do not hide the client), or the
        command `stop`, or nothing where the client is declared to have no way to be stopped.
        """
        if self._died.is_set() or self._spec.stop == "none":
            return
        self._asked = True
        self._observer.stop_asked(self._clock(), self._spec.stop, judged)
        if self._spec.stop == "command":
            self.say({"command": "stop", "id": STOP})
        else:
            self._signal(signal.SIGTERM)

    def say(self, command: Mapping[str, Any]) -> bool:
        """A line on its standard input. False where that is closed, or its reader is too far behind."""
        assert self._transport is not None
        pipe = self._transport.get_pipe_transport(0)
        if not isinstance(pipe, asyncio.WriteTransport) or pipe.is_closing():
            return False
        if pipe.get_write_buffer_size() > MOST_UNREAD:
            return False
        pipe.write(json.dumps(command).encode() + b"\n")
        return True

    def _signal(self, number: int) -> None:
        assert self.pid is not None
        with suppress(ProcessLookupError, PermissionError):  # it has just gone
            os.killpg(self.pid, number)

    @property
    def process(self) -> int | None:
        return self.pid

    async def wait_exit(self, within: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._exited.wait()
        return self._exited.is_set()

    async def kill(self) -> None:
        """Raises `HarnessError` where SIGKILL did not take effect."""
        if self._killing is None:
            self._killing = asyncio.get_running_loop().create_task(self._kill())
        await asyncio.shield(self._killing)

    async def _kill(self) -> None:
        if not self._died.is_set():
            self._tell_ending(0)
            # Before anything is ended: once a parent is gone, nothing leads from it to whom it had started.
            known = await asyncio.to_thread(leftovers.belonging, {self._mark: self.pid})
            self._signal(signal.SIGKILL)
            leftovers.kill(known)
        elif not self._asked:
            with suppress(HarnessError):  # it is said below, when those that it left behind are gone
                await self._told()  # its own exit comes before what we do to them
        try:
            await self._end_left()
            await self._told()
        finally:
            self.let_go()
        GUARD.forget(self._mark)

    def _tell_ending(self, processes: int) -> None:
        """Tell that we end it, before we do: no end of a connection that this causes may come earlier."""
        if self._ending:
            return
        self._ending = True
        why: Why = "left-over" if processes else "asked" if self._asked else "unasked"
        self._observer.ending(self._clock(), why, processes)

    async def _end_left(self) -> None:
        """End every process of it. The deadline counts looks, so that neither a slow loop nor a suspend runs it down;
        what has died is not waited for until its exit is told. Raises `HarnessError`.
        """
        left: list[int] = []
        for _ in range(LOOKS):
            left = await asyncio.to_thread(leftovers.belonging, {self._mark: self.pid})
            if not left:
                return
            self._tell_ending(len(left))
            leftovers.kill(left)
            await asyncio.sleep(leftovers.PAUSE)
        raise HarnessError(
            f"process {left[0]} of the client {self._spec.name!r} was still there {LOOKS} looks after SIGKILL"
        )

    async def _told(self) -> None:
        """Until its exit is told: nothing of it runs any more, but its last output may be long, and the loop slow. So
        long as output is being told, or the loop does not come round, no time runs. Raises `HarnessError`.
        """
        idle, before = 0, -1
        while not self._exited.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(leftovers.PAUSE):
                    await self._exited.wait()
            waiting = self._output.waiting
            idle, before = (idle + 1 if waiting == before else 0), waiting
            if idle >= TURNS:
                raise HarnessError(f"process {self.pid} of the client {self._spec.name!r} is gone, its exit untold")
