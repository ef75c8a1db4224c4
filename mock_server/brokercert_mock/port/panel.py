"""What a broker shows of itself to whoever tries it by hand, and what may be done to it by hand.

A dialect describes both as data: tables of rows, and actions with typed fields. Who draws them knows no dialect: an
order is a row of the table `orders`, whatever its columns are. An action is performed by name, with texts as a person
types them; what is wrong with them is `ActionError`, which names the field and what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from brokercert_mock.port.connection import AnyConnection
    from brokercert_mock.port.rules.shared import OnEvents, OnUpgrade

MOST_ROWS = 200  # of a table: the newest; a page that draws more is no longer read


class ActionError(ValueError):
    """What was asked for by hand cannot be done."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value that an action takes. `default` is what a form shows first, and what counts where none is given."""

    name: str
    label: str
    kind: Literal["text", "whole number", "number", "choice"] = "text"
    default: str = ""
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> str:
        """The text, if it is one of this kind."""
        value = text.strip() or self.default
        if self.kind == "choice" and value not in self.choices:
            raise ActionError(f"{self.name} was {value!r}; expected one of {', '.join(self.choices)}")
        if self.kind == "whole number" and not (value.isascii() and value.isdigit() and len(value) < 16):
            raise ActionError(f"{self.name} was {value!r}; expected a whole number from 0")
        if self.kind == "number":
            try:
                finite = abs(float(value)) < 1e15
            except ValueError:
                finite = False
            if not finite:
                raise ActionError(f"{self.name} was {value!r}; expected a number")
        return value


Act = Callable[[str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `on` is what it is done to: `broker`, `connection`, or the name of a table, whose row it needs.

    `act` gets the row's id (empty for the broker) and the texts of the fields, and says in a sentence what was done.
    """

    name: str
    label: str
    on: str
    act: Act
    fields: tuple[Field, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, its texts in the order of the columns. `can` names the actions that make sense now."""

    id: str
    cells: tuple[str, ...]
    over: bool = False  # nothing will happen to it any more
    can: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the order in which they came to be. `numeric` are the columns to be set as numbers."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: tuple[str, ...] = ()
    left_out: int = 0  # older rows that are not among them


class Panel(Protocol):
    """What a dialect's broker gives. `beats` are the texts of frames that say no more than "I am here"."""

    title: str
    beats: tuple[str, ...]

    def tables(self) -> Sequence[Table]:
        """The broker's own state, as it is now."""
        ...

    def stage(self, conn: int) -> str:
        """How far an open connection has come in the dialect (`synced`, ...); empty: nothing to say."""
        ...

    def actions(self) -> Sequence[Action]:
        """All that can be done by hand."""
        ...


def table(
    name: str, title: str, columns: Sequence[str], entities: Sequence[Any], row: Callable[[Any], Row], numeric: str = ""
) -> Table:
    """The newest of these entities (oldest first), each drawn by `row`. `numeric`: names of columns, commas between."""
    shown = entities[-MOST_ROWS:]
    return Table(
        name,
        title,
        tuple(columns),
        tuple(row(entity) for entity in shown),
        tuple(x.strip() for x in numeric.split(",") if x.strip()),
        len(entities) - len(shown),
    )


def perform(panel: Panel, name: str, target: str, given: Mapping[str, str]) -> str:
    """Do one action, and say what was done. ActionError: unknown, badly filled in, or not possible now."""
    action = next((x for x in panel.actions() if x.name == name), None)
    if action is None:
        raise ActionError(f"action was {name!r}; expected one of {', '.join(x.name for x in panel.actions())}")
    unknown = sorted(set(given) - {x.name for x in action.fields})
    if unknown:
        raise ActionError(f"{name} has no field {unknown[0]!r}; it has {', '.join(x.name for x in action.fields)}")
    values = {field.name: field.read(given.get(field.name, "")) for field in action.fields}
    try:
        return action.act(target, values)
    except ActionError:
        raise
    except ValueError as error:  # the exchange's own word for "not in this state"
        raise ActionError(str(error)) from error


def connection_actions(history: Mapping[int, AnyConnection]) -> tuple[Action, ...]:
    """What can be done to any dialect's connection. `history` has all of a broker's, by number."""

    def on(act: Callable[[AnyConnection, Mapping[str, str]], None], said: str) -> Act:
        def run(target: str, values: Mapping[str, str]) -> str:
            conn = next((conn for number, conn in history.items() if str(number) == target), None)
            if conn is None:
                raise ActionError(f"connection {target}: there is none")
            if conn.ended_at is not None:
                raise ActionError(f"connection {target} has ended already")
            act(conn, values)
            return f"connection {target}: {said.format(**values)}"

        return run

    def close(conn: AnyConnection, values: Mapping[str, str]) -> None:
        code, reason = int(values["code"]), values["reason"]
        if not 1000 <= code <= 4999:
            raise ActionError(f"code was {code}; expected 1000 to 4999")
        if len(reason.encode()) > 123:  # what a control frame holds beside the code
            raise ActionError("reason was longer than 123 bytes, the most a close frame holds")
        if not conn.is_open:
            raise ActionError(f"connection {conn.id} is not an open WebSocket: it can take no close frame")
        conn.close(code, reason)

    return (
        Action("fin", "FIN", "connection", on(lambda c, _: c.fin(), "ended with FIN"), help="No close frame"),
        Action("rst", "RST", "connection", on(lambda c, _: c.rst(), "ended with RST"), help="Reset"),
        Action(
            "close",
            "Close",
            "connection",
            on(close, "close frame {code} sent"),
            (Field("code", "Code", "whole number", "1001"), Field("reason", "Reason")),
            help="A close frame",
        ),
        Action(
            "silent",
            "Silent",
            "connection",
            on(lambda c, _: c.go_silent("application"), "silent from here on, but for pongs and close echoes"),
            help="Say nothing more but pongs and close echoes",
        ),
        Action(
            "dead",
            "Dead",
            "connection",
            on(lambda c, _: c.half_open(), "neither reads nor writes any more"),
            help="Neither read nor write, TCP stays open",
        ),
    )


def rule_actions(
    on_upgrade: Callable[..., OnUpgrade], on_events: Callable[..., OnEvents], event: str
) -> tuple[Action, ...]:
    """What any dialect's broker can be told to do with the next upgrade, and with the next events (called `event`)."""

    def upgrade(_: str, values: Mapping[str, str]) -> str:
        rule, what = on_upgrade(times=1), values["what"]
        match what:
            case "no answer":
                rule.never_answer()
            case "closed unanswered":
                rule.close_at_once()
            case "closed after 101":
                rule.upgrade_then_close()
            case _:
                rule.refuse(int(what))
        return f"the next upgrade: {what}"

    def events(_: str, values: Mapping[str, str]) -> str:
        count, what = int(values["count"]), values["what"]
        if not count:
            raise ActionError("count was 0; expected at least 1")
        rule = on_events(next=count)
        rule.drop() if what == "dropped" else rule.twice()
        return f"the next {count} {event}(s): {what}"

    upgrades = ("401", "429", "503", "no answer", "closed unanswered", "closed after 101")
    what = (
        Field("count", "How many", "whole number", "1"),
        Field("what", "Are", "choice", "twice", ("twice", "dropped")),
    )
    return (
        Action(
            "upgrade",
            "Script the next upgrade",
            "broker",
            upgrade,
            (Field("what", "Is answered with", "choice", "503", upgrades),),
        ),
        Action("events", f"Script the next {event}s", "broker", events, what, "Sent twice, or not at all"),
    )


def texts(*values: Any) -> tuple[str, ...]:
    """What stands in a row's cells: decimals with all their digits, nothing where there is none."""
    return tuple(
        "" if value is None else format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)
        for value in values
    )


def silence_of(conn: AnyConnection) -> str:
    """That a connection was made silent by hand or by a rule; empty: it was not."""
    return {None: "", "application": "silent", "dead": "playing dead"}[conn.silent]
