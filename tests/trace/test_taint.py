"""Whatever a client can choose holds no secret once it is written: every text of every record, in any disguise."""

from __future__ import annotations

import ast
import base64
import inspect
import json
from pathlib import Path
from typing import Any

import brokercert
import msgspec
import pytest
from brokercert.trace import Labels, TraceWriter
from brokercert.trace import records as r
from brokercert.trace.clean import MARGIN
from brokercert.trace.disguises import disguises_of, found_in
from brokercert.trace.writer import LONGEST_LINE, SHOWN_OF_BROKEN
from brokercert_mock.port.origins import SHOWN, Origins
from disguised import PARTS, WHOLE
from hypothesis import given
from hypothesis import strategies as st
from mock_bench import header

TOKEN = "8_2aQx7Tn2Lw9Rk4Vb8Zc1Md6Pf3Gs5Hj0Yu-aE_iOqWtXvNlBrKmDzCyS4UoA1.b"
DISGUISES = WHOLE | PARTS
# What tells of a client: each argument of these that is a text or bytes, or holds some, is the client's to choose.
TELLING = {
    "head": {"method", "target", "headers"},
    "rest_request": {"method", "target", "body"},
    "frame": {"payload"},
    "violation": {"text"},
    "rule": {"detail"},
    "fault": {"detail"},
    "output": {"line"},
    "report": {"event", "body"},
    "broken_report": {"text", "why"},
}
# And what does not: our own words, and what the broker writes, in which a secret stands in no disguise.
OURS = {
    "rest_answer": "the broker's",
    "raw": "the broker's",
    "ledger": "the broker's",
    "command": "ours",
    "accepted": "no text",
    "upgrade_answer": "no text",
    "ended": "two words of ours",
    "rule_unused": "a name of ours",
    "withheld": "a name of ours",
    "released": "a name of ours",
    "load": "no text",
    "secret": "writes nothing",
}
WRITES_NONE = {"add", "hold", "let_go", "flush", "close", "redact", "place", "shown", "micros"}
OTHERS: dict[str, Any] = {
    "at": 1.0,
    "conn": 1,
    "ordinal": 1,
    "upgrade": True,
    "sender": "client",
    "opcode": 1,
    "fragments": 1,
    "first_message": 0,
    "name": "name",
    "requested": 1.0,
    "acknowledged": 1.0,
    "stream": "out",
    "cut": False,
    "line": 1,
}


def shapes(argument: str, said: str) -> Any:
    """A value of that argument which says so."""
    if argument == "headers":
        return ((said, "value"), ("X-Name", said), ("Authorization", f"Bearer {said}"))
    if argument == "payload":
        return said.encode()
    if argument == "body":
        return {"event": "error", said: 1, "list": [said, {"deep": said}]}
    return said


def written(method: str, argument: str, said: str) -> bytes:
    """The records of a call in which that argument says so."""
    labels = Labels()
    labels.add("access-token", TOKEN)
    writer = TraceWriter(None, header(), began=0.0, labels=labels)
    call = getattr(writer, method)
    named = inspect.signature(call).parameters
    values = {name: OTHERS.get(name, "text") for name in named}
    if "headers" in named:
        values["headers"] = (("Host", "here"),)
    if "payload" in named:
        values["payload"] = b"text"
    if "body" in named and method == "report":
        values["body"] = {"event": "text"}
    value = shapes(argument, said)
    values[argument] = json.dumps(value) if (method, argument) == ("rest_request", "body") else value
    call(**values)
    return b"\n".join(msgspec.json.encode(record) for record in writer.records)


def test_every_way_to_write_is_known_here() -> None:
    ways = {name for name, _ in inspect.getmembers(TraceWriter, inspect.isfunction) if not name.startswith("_")}
    assert ways == TELLING.keys() | OURS.keys() | WRITES_NONE


@given(
    st.sampled_from([(method, argument) for method, arguments in TELLING.items() for argument in sorted(arguments)]),
    st.sampled_from(sorted(DISGUISES)),
)
def test_no_text_of_a_client_is_written_with_a_secret(where: tuple[str, str], disguise: str) -> None:
    record = written(*where, DISGUISES[disguise](TOKEN)).decode()
    assert "access-token#1" in record
    for text in (record, *_decoded(record)):
        assert not found_in(text, [disguises_of(TOKEN)])


def _decoded(record: str) -> list[str]:
    """What is in base64 in it."""
    return [
        base64.b64decode(value).decode("utf-8", "replace")
        for line in record.splitlines()
        for name, value in json.loads(line).items()
        if name == "base64"
    ]


@pytest.mark.parametrize("listed", [list(TOKEN.encode()), list(TOKEN), dict(enumerate(TOKEN)), [TOKEN[:9], TOKEN[9:]]])
def test_a_report_that_spells_a_secret_is_kept(listed: Any) -> None:
    body = {"event": "error", "text": "login", "token": json.loads(json.dumps(listed))}
    labels = Labels()
    labels.add("access-token", TOKEN)
    writer = TraceWriter(None, header(), began=0.0, labels=labels)
    writer.report(1.0, "error", body)
    (record,) = writer.records
    assert isinstance(record, r.SubjectReport)
    assert record.event == "error" and record.body["text"] == "login"
    assert "access-token#1»" in str(record.body["token"])


@pytest.mark.parametrize("depth", [1, 50, 400, 900])
def test_a_report_that_is_nested_deep_is_kept_without_its_secret(depth: int) -> None:
    body: Any = [TOKEN, "x"]
    for _ in range(depth):
        body = [body]
    labels = Labels()
    labels.add("access-token", TOKEN)
    writer = TraceWriter(None, header(), began=0.0, labels=labels)
    writer.report(1.0, "error", {"event": "error", "deep": body})
    (record,) = writer.records
    assert isinstance(record, r.SubjectReport) and record.event == record.body["event"] == "error"
    assert "access-token#1»" in json.dumps(record.body, ensure_ascii=False)
    assert not found_in(msgspec.json.encode(record).decode(), [disguises_of(TOKEN)])


def test_only_what_holds_a_secret_of_a_long_list_is_changed() -> None:
    values: list[Any] = [{"id": number, "text": "working"} for number in range(300)]
    values[150] = {"id": 150, "text": f"logged in with {TOKEN}", TOKEN: [1]}
    labels = Labels()
    label = labels.add("access-token", TOKEN)
    cleaned = labels.clean(values, json.dumps(values))
    assert cleaned == [*values[:150], {"id": 150, "text": f"logged in with {label}", label: [1]}, *values[151:]]


@pytest.mark.parametrize("begins", [*range(-70, 3), -LONGEST_LINE, MARGIN - 64])
@pytest.mark.parametrize(("kind", "most"), [("output", LONGEST_LINE), ("broken", SHOWN_OF_BROKEN)])
def test_a_text_is_cleaned_before_it_is_cut(kind: str, most: int, begins: int) -> None:
    """A token that begins so many characters before or behind the place of the cut."""
    labels = Labels()
    labels.add("access-token", TOKEN)
    labels.add("password", "of-23-characters-and-no")
    writer = TraceWriter(None, header(), began=0.0, labels=labels)
    line = "." * max(0, most + begins) + TOKEN + "of-23-characters-and-no" + "." * MARGIN
    kept = line[: most + MARGIN]
    if kind == "output":
        writer.output(1.0, "out", kept, cut=len(line) > most)
    else:
        writer.broken_report(1.0, 1, kept, "why")
    (record,) = writer.records
    assert isinstance(record, r.SubjectOutput | r.BrokenReport)
    assert len(record.text) <= most + 30
    assert not found_in(record.text, [disguises_of(TOKEN)]) and "of-23" not in record.text


def test_half_of_a_password_at_the_end_of_what_was_read_is_not_told() -> None:
    """Labels are shorter than what they stand for, so that the end of what was read comes before the cut."""
    labels = Labels()
    labels.add("access-token", TOKEN)
    labels.add("password", "of-23-characters-and-no")
    writer = TraceWriter(None, header(), began=0.0, labels=labels)
    most = LONGEST_LINE + MARGIN
    line = ((TOKEN + " ") * (most // 60))[: most - 20] + "of-23-characters-and"
    assert len(line) == most
    writer.output(1.0, "out", line, cut=True)
    (record,) = writer.records
    assert isinstance(record, r.SubjectOutput)
    assert "of-23" not in record.text and "«access-token#1» " in record.text


def test_the_file_holds_no_secret_either(tmp_path: Path) -> None:
    labels = Labels()
    labels.add("access-token", TOKEN)
    writer = TraceWriter(tmp_path / "trace.jsonl", header(), began=0.0, labels=labels)
    for disguise in WHOLE.values():
        writer.output(1.0, "err", disguise(TOKEN))
    writer.close()
    assert not found_in((tmp_path / "trace.jsonl").read_text("utf-8"), [disguises_of(TOKEN)])


SPELT = st.sampled_from(["", "http://", "https://a.", "'", "\\", "\u00e9"])


@given(
    before=SPELT,
    after=SPELT,
    room=st.integers(0, SHOWN + 80),
    disguise=st.sampled_from(["as it is", *sorted(DISGUISES)]),
)
def test_an_origin_that_is_refused_is_told_without_a_secret(before: str, after: str, room: int, disguise: str) -> None:
    """Wherever it would be cut, and however it would be quoted: as a broker answers it, and as the trace has it."""
    said = TOKEN if disguise == "as it is" else DISGUISES[disguise](TOKEN)
    origin = f"{before}{'a' * room}{said}{after}"
    labels = Labels()
    labels.add("access-token", TOKEN)
    writer = TraceWriter(None, header(), began=0.0, labels=labels)
    writer.head(1.0, 1, "POST", "/", (("Origin", origin),), False)
    answer = Origins(frozenset(), here=True, advice="say so").refusal([origin])
    assert answer is not None
    writer.rest_answer(1.0, 1, 1, 403, answer)
    for record in writer.records:
        assert not found_in(msgspec.json.encode(record).decode(), [disguises_of(TOKEN)])


HARNESS = Path(brokercert.__file__).parent


def test_nobody_but_the_labels_says_that_a_text_is_clean() -> None:
    forged = [
        f"{path.relative_to(HARNESS)}:{node.lineno}"
        for path in sorted(HARNESS.rglob("*.py"))
        if "trace" not in path.relative_to(HARNESS).parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Clean", "CleanBody")
    ]
    assert not forged, "expected `redact` of a writer or of labels"
