"""Writes a trace live: every record is in memory for the judge and in the file within 250 ms.

The writer is the `Recorder` that a broker tells, and takes the runner's own records too. It stamps nothing: times come
from whoever saw the thing happen. Live and offline see the same records, because both are what was encoded here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from brokercert.trace import records as r
from brokercert.trace.clean import MARGIN, Clean, CleanBody, shortened
from brokercert.trace.file import TraceFile
from brokercert.trace.labels import Labels

FLUSH_EVERY = 0.25  # seconds: what a killed run may lose at most
LONGEST_LINE = 64 * 1024  # characters of a line of output that are told: no log line is longer
SHOWN_OF_BROKEN = 300  # characters told of a report that cannot be read: enough to find it
NONCE = "sec-websocket-key"  # sixteen random bytes: no secret, and never the same twice


class TraceWriter:
    """One scenario's trace.

    `began` is the moment, on the recorder's clock and in seconds, that is time 0 of the trace. Each of `watchers` is
    called with every record as it is written: the stage waits on what happens, and sees just what the judge will see.

    `on_error` is told of what a watcher raises, or of a record that cannot be encoded. Without it both are raised to
    whoever told the record: a broker in the middle of a client's bytes, which would drop the connection for it.
    """

    def __init__(
        self,
        path: Path | None,
        header: r.Header,
        *,
        began: float,
        labels: Labels | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self.path = path
        self.header = header
        self.labels = labels or Labels()
        self.records: list[r.Body] = []
        self.watchers: list[Callable[[r.Body], None]] = []
        self._began = began
        self._places: dict[str, str] = {}
        self._nonces: dict[str, Clean] = {}
        self._encoder = msgspec.json.Encoder()
        self._on_error = on_error
        self._held: list[r.Body] | None = None
        self._finished = False
        self.file = None if path is None else TraceFile(path)
        if self.file is not None:
            self.file.append(self._encoder.encode(header) + b"\n")
            self.file.flush()

    def micros(self, at: float) -> int:
        return round((at - self._began) * 1e6)

    def add(self, record: r.Body) -> None:
        """Append one record. Whatever a client chose in it is `Clean`: mypy says so."""
        if self._held is None:
            self._append(record)
        else:
            self._held.append(record)

    def hold(self) -> None:
        """From here on records are kept back: neither encoded nor shown to anybody while something is timed."""
        if self._held is None:
            self._held = []

    def let_go(self, most: int) -> bool:
        """Append so many of what was kept back, in the order of time. False: that was all, and nothing more is kept."""
        held = sorted(self._held or (), key=lambda record: (isinstance(record, r.Finished), record.t))
        self._held = held[most:] or None
        for record in held[:most]:
            self._append(record)
        return self._held is not None

    def _append(self, record: r.Body) -> None:
        # A broker that could not be closed in time tells more after the end: it would make that of an interrupted one.
        if self._finished:
            return
        self._finished = isinstance(record, r.Finished)
        try:
            if self.file is not None:
                self.file.append(self._encoder.encode(record) + b"\n")
            self.records.append(record)
            for watch in self.watchers:
                watch(record)
        except Exception as error:
            if self._on_error is None:
                raise
            self._on_error(error)

    def flush(self) -> None:
        """Called by the runner at least every `FLUSH_EVERY` seconds."""
        if self.file is not None:
            self.file.flush()

    def close(self) -> None:
        """End the file: what it then lacks, or what became of it, is `file.note`. Nothing is kept back any more."""
        while self.let_go(len(self._held or ())):
            continue
        if self.file is not None:
            self.file.close(self._lines())

    def _lines(self) -> Iterator[bytes]:
        for one in (self.header, *self.records):
            yield self._encoder.encode(one) + b"\n"

    def redact(self, text: str, *, parts: bool = True) -> Clean:
        """`text` without any secret; `parts`: nor any part of one, as only a client writes it."""
        return self.labels.redact(text, parts=parts)

    def place(self, name: str, port: int, hosts: Collection[str] = ()) -> None:
        """A port that this run happened to get. Addresses that name it are told with `name` instead, so that the body
        of a trace does not differ from run to run. `hosts`: names of this machine beside its usual ones.
        """
        for host in {"127.0.0.1": None, "localhost": None, **dict.fromkeys(hosts)}:
            self._places[f"{host}:{port}"] = f"{host}:«{name}»"
            self._places[f"('{host}', {port})"] = f"('{host}', «{name}»)"  # as Python's errors have it
        self._places[f"[::1]:{port}"] = f"[::1]:«{name}»"
        self._places[f"('::1', {port}, "] = f"('::1', «{name}», "

    def _steady(self, text: str) -> Clean:
        """`redact`, and no address that differs from run to run."""
        return self.redact(self._placed(text))

    def _placed(self, text: str) -> str:
        for address, name in self._places.items():
            if address in text:
                text = text.replace(address, name)
        return text

    def _nonce(self, value: str) -> Clean:
        return self._nonces.setdefault(value, Clean(f"«websocket-key#{len(self._nonces) + 1}»"))

    # What a broker tells (brokercert_mock.port.recorder.Recorder).

    def secret(self, kind: str, value: str) -> None:
        if value:
            self.labels.add(kind, value)

    def accepted(self, at: float, conn: int) -> None:
        self.add(r.Accepted(t=self.micros(at), conn=conn))

    def head(
        self, at: float, conn: int, method: str, target: str, headers: Sequence[tuple[str, str]], upgrade: bool
    ) -> None:
        clean = tuple(
            (self.redact(name), self._nonce(value) if name.lower() == NONCE else self._steady(value))
            for name, value in headers
        )
        self.add(
            r.Head(
                t=self.micros(at),
                conn=conn,
                method=self.redact(method),
                target=self._steady(target),
                headers=clean,
                upgrade=upgrade,
            )
        )

    def upgrade_answer(self, at: float, conn: int, status: int) -> None:
        self.add(r.UpgradeAnswer(t=self.micros(at), conn=conn, status=status))

    def rest_request(self, at: float, conn: int, ordinal: int, method: str, target: str, body: str) -> None:
        self.add(
            r.RestRequest(
                t=self.micros(at),
                conn=conn,
                ordinal=ordinal,
                method=self.redact(method),
                target=self.redact(target),
                body=self.redact(body),
            )
        )

    def rest_answer(self, at: float, conn: int, ordinal: int, status: int, body: str) -> None:
        self.add(
            r.RestAnswer(
                t=self.micros(at), conn=conn, ordinal=ordinal, status=status, body=self.redact(body, parts=False)
            )
        )

    def frame(
        self,
        at: float,
        conn: int,
        sender: r.Side,
        ordinal: int,
        opcode: int,
        payload: bytes,
        fragments: int = 1,
        first_message: int = 0,
    ) -> None:
        code: int | None = None
        if opcode == 8 and len(payload) >= 2:
            code, payload = int.from_bytes(payload[:2], "big"), payload[2:]
        text, encoded = self._text(payload, parts=sender == "client")
        self.add(
            r.Frame(
                t=self.micros(at),
                conn=conn,
                sender=sender,
                ordinal=ordinal,
                opcode=opcode,
                text=text,
                base64=encoded,
                code=code,
                fragments=fragments,
                first_message=first_message,
            )
        )

    def raw(self, at: float, conn: int, data: bytes) -> None:
        self.add(r.Raw(t=self.micros(at), conn=conn, base64=self._clean_base64(data)))

    def violation(self, at: float, conn: int, text: str) -> None:
        self.add(r.Violation(t=self.micros(at), conn=conn, text=self.redact(text)))

    def ended(self, at: float, conn: int, by: r.Side, how: Literal["fin", "rst"]) -> None:
        self.add(r.Ended(t=self.micros(at), conn=conn, by=by, how=how))

    def rule(self, at: float, name: str, conn: int, detail: str) -> None:
        self.add(r.RuleApplied(t=self.micros(at), name=name, conn=conn, detail=self.redact(detail)))

    def rule_unused(self, at: float, name: str) -> None:
        self.add(r.RuleUnused(t=self.micros(at), name=name))

    def withheld(self, at: float, what: str, conn: int) -> None:
        self.add(r.Withheld(t=self.micros(at), what=what, conn=conn))

    def released(self, at: float, what: str, conn: int) -> None:
        self.add(r.Released(t=self.micros(at), what=what, conn=conn))

    def fault(self, requested: float, acknowledged: float, name: str, conn: int, detail: str) -> None:
        self.add(
            r.Fault(
                t=self.micros(acknowledged),
                requested=self.micros(requested),
                name=name,
                conn=conn,
                detail=self.redact(detail),
            )
        )

    def load(self, at: float, asked: float, reached: float, sent: int, dropped: int) -> None:
        self.add(r.Load(t=self.micros(at), asked=asked, reached=round(reached, 3), sent=sent, dropped=dropped))

    def ledger(self, at: float, name: str, state: Mapping[str, object]) -> None:
        self.add(r.Ledger(t=self.micros(at), name=name, state=self._clean(state, parts=False)))

    # What the runner tells.

    def output(self, at: float, stream: Literal["out", "err"], line: str, *, cut: bool = False) -> None:
        """A line; `cut`: it was longer, and this is its beginning with `clean.MARGIN` bytes more than are told."""
        text = self._steady(line)
        shown = shortened(text, LONGEST_LINE, cut_before=cut)
        self.add(r.SubjectOutput(t=self.micros(at), stream=stream, text=shown, cut=cut or shown != text))

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        named, clean = self.redact(event), self._clean(body)
        clean.setdefault("event", named)
        self.add(r.SubjectReport(t=self.micros(at), event=named, body=clean))

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        """A report that cannot be read, or its beginning with `clean.MARGIN` bytes more than are told."""
        shown = self.shown(text, SHOWN_OF_BROKEN)
        self.add(r.BrokenReport(t=self.micros(at), line=line, text=shown, why=self._steady(why)))

    def shown(self, text: str, most: int) -> Clean:
        """The first characters of a text that was cut at `clean.MARGIN` bytes more, or not at all."""
        was_cut = len(text.encode("utf-8", "replace")) >= most + MARGIN
        return shortened(self._steady(text), most, cut_before=was_cut)

    def command(self, at: float, body: Mapping[str, Any], *, told: bool) -> None:
        clean = self._clean(body, parts=False)
        self.add(r.Command(t=self.micros(at), id=clean["id"], command=clean["command"], body=clean, told=told))

    def _clean(self, body: Mapping[str, Any], *, parts: bool = True) -> CleanBody:
        """A JSON object without any secret. Of one whose own names are needed to spell it, its text is left."""
        text = msgspec.json.encode(dict(body)).decode()
        steady = self._placed(text)
        cleaned = self.labels.clean(msgspec.json.decode(steady), steady, parts=parts)
        return CleanBody(cleaned if isinstance(cleaned, dict) else {"redacted": cleaned})

    def _text(self, payload: bytes, *, parts: bool) -> tuple[Clean | None, Clean | None]:
        """A payload as text where it is UTF-8, else in base64; either way without secrets."""
        try:
            return self.redact(payload.decode(), parts=parts), None
        except UnicodeDecodeError:
            return None, self._clean_base64(payload, parts=parts)

    def _clean_base64(self, data: bytes, *, parts: bool = True) -> Clean:
        # Secrets are ASCII, so that they survive this decoding and can be found between bytes that are no text.
        text = data.decode("latin-1")
        clean = self.redact(text, parts=parts)
        if clean != text:
            data = clean.encode("utf-8")
        return Clean(base64.b64encode(data).decode())
