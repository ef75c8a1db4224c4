"""`brokercert list` and `brokercert explain ID`: what is asked, and what exercises, checks and proves it."""

from __future__ import annotations

import importlib
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import click
import msgspec

from brokercert.cli.options import set_typed
from brokercert.cli.outlet import say
from brokercert.sets import default_set

if TYPE_CHECKING:
    from brokercert.engine.play.dialect import Dialect
    from brokercert.judge.check import Check
    from brokercert.requirements import Requirement, RequirementSet

WIDTH = 100  # columns of a text that is read, not scanned


@dataclass(frozen=True)
class Cover:
    """A row, and what there is for it. `state`: judged, no scenario, no check."""

    row: Requirement
    scenarios: tuple[str, ...]
    checks: tuple[Check, ...]  # one, or none
    mutants: tuple[str, ...]  # broken clients that fail it, by which its check is proved

    @property
    def state(self) -> str:
        if not self.scenarios:
            return "no scenario"
        return "judged" if self.checks else "no check"


def coverage(rows: RequirementSet) -> list[Cover]:
    """Every row of the set, in its order."""
    from brokercert.engine.play.scenario import load_suite

    suite = load_suite(rows.id)
    dialect = suite.dialect if suite.scenarios else None
    checks = dialect.judging.checks if dialect else {}
    mutants = _mutants(dialect.mutants) if dialect else []
    listed = suite.listed()
    return [
        Cover(
            row,
            listed.get(row.id, ()),
            (checks[row.id],) if row.id in checks else (),
            tuple(mutant.name for mutant in mutants if row.id in mutant.fails),
        )
        for row in rows.rows
    ]


def _mutants(name: str) -> list[Any]:
    """The broken reference clients. They serve our own tests, so that a package may come without them."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return []
    return list(getattr(module, "MUTANTS", {}).values())


def killers(dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Each field in which states are compared, and the broken clients that fail by it."""
    mutants = _mutants(dialect.mutants)
    return {
        field: tuple(mutant.name for mutant in mutants if field in mutant.fields) for field in dialect.judging.compared
    }


@click.command("list", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", default=default_set(), show_default=True, help="Requirement set.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.option("--manifest", is_flag=True, help="The manifest alone, as the set's package keeps it once released.")
def list_(set_name: str, as_json: bool, manifest: bool) -> int:
    """List the requirements, and what exercises, checks and proves each."""
    rows = set_typed(set_name)
    if manifest:
        from brokercert.engine.run.manifest import Kept, kept_text, todays

        click.echo(kept_text(Kept(True, todays(rows.id))), nl=False)
        return 0
    covers = coverage(rows)
    fields = _fields(rows)
    if as_json:
        document = {"set": rows.id, "title": rows.title, "version": rows.version, "hash": rows.hash, "fields": fields}
        page = {"name": rows.name, "source": msgspec.to_builtins(rows.source)}
        say(json.dumps({**document, **page, "requirements": [_plain(cover) for cover in covers]}, indent=1))
    else:
        for text in _table(rows, covers):
            say(text)
        if fields:
            bare = [field for field, names in fields.items() if not names]
            say(f"States are compared in {len(fields)} fields; without a mutant: {', '.join(bare) or 'none'}.")
    return 0


def _fields(rows: RequirementSet) -> dict[str, tuple[str, ...]]:
    from brokercert.engine.play.scenario import load_suite

    suite = load_suite(rows.id)
    return killers(suite.dialect) if suite.scenarios else {}


def _plain(cover: Cover) -> dict[str, object]:
    row = cover.row
    return {
        "id": row.id,
        "area": row.area,
        "title": row.title,
        "level": str(row.level),
        "text": row.text,
        "source": row.source,
        "needs": list(row.needs),
        "parts": list(row.parts),
        "scenarios": list(cover.scenarios),
        "checks": [check.source for check in cover.checks],
        "mutants": list(cover.mutants),
        "state": cover.state,
    }


def _table(rows: RequirementSet, covers: list[Cover]) -> Iterator[str]:
    from brokercert_reports.text import source_told

    yield f"{rows.name}: {rows.title} (version {rows.version}, {rows.hash[:12]})"
    if rows.source:
        yield source_told(rows.source)
    wide = max(len(cover.row.title) for cover in covers)
    area = ""
    for cover in covers:
        row = cover.row
        if row.area != area:
            area = row.area
            yield f"\n{area}"
        counts = f"{len(cover.scenarios)} scenario(s), {len(cover.mutants)} mutant(s)"
        yield f"  {row.id}  {row.level:<6}  {row.title:<{wide}}  {cover.state:<11}  {counts}".rstrip()
    judged = sum(cover.state == "judged" for cover in covers)
    yield f"\n{judged} of {len(covers)} requirements are judged; parts: {', '.join(rows.parts) or 'none'}."


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", help="Requirement set (default: the one that has the id).")
@click.argument("requirement", metavar="ID")
def explain(requirement: str, set_name: str | None) -> int:
    """Explain one requirement: what it asks, how it is judged, how to mend it."""
    from brokercert.engine.errors import UsageError
    from brokercert.near import hint

    sets = [set_typed(set_name)] if set_name else list(_readable_sets())
    holding = [rows for rows in sets if requirement.upper() in rows.by_id]
    if not holding:
        names = ", ".join(rows.name for rows in sets)
        meant = hint(requirement, [row for rows in sets for row in rows.by_id]) or "; `brokercert list` shows them"
        raise UsageError(f"no requirement {requirement!r} in {names}{meant}")
    for rows in holding:
        for text in _explanation(rows, requirement.upper()):
            say(text)
    return 0


def _readable_sets() -> Iterator[RequirementSet]:
    """All sets. What another package offers wrongly is told, and keeps nobody from the others."""
    from brokercert.requirements import RequirementError, available_sets, load_set

    for name in available_sets():
        try:
            yield load_set(name)
        except RequirementError as error:
            say(f"brokercert: left out: {error}", err=True)


@click.command(short_help="Print a JSON Schema.")
@click.argument("what", type=click.Choice(["protocol", "config"]), default="protocol")
def schema(what: str) -> int:
    """Print the JSON Schema of every line that a client is told and tells (docs/subject-protocol.md).

    With `config`: that of brokercert.toml, for an editor.
    """
    if what == "config":
        from brokercert.engine.ask.schema import config_schema

        say(json.dumps(config_schema(), indent=1))
        return 0
    click.echo(resources.files("brokercert.data").joinpath("subject-protocol.schema.json").read_text("utf-8"), nl=False)
    return 0


def _explanation(rows: RequirementSet, name: str) -> Iterator[str]:
    from brokercert_reports.text import quantity, source_told

    from brokercert.engine.play.scenario import load_suite

    cover = next(cover for cover in coverage(rows) if cover.row.id == name)
    row = cover.row
    yield f"{row.id}  {row.title}"
    yield f"{rows.name}, {row.area}, {row.level}; source: {row.source}"
    if rows.source:
        yield _wrapped(source_told(rows.source))
    yield ""
    yield _wrapped(row.text)
    if row.means:
        yield "\n" + _wrapped(row.means)
    yield f"\nNeeds of the client: {', '.join(f'{need} ({rows.capabilities[need]})' for need in row.needs)}"
    yield _wrapped(_judged_after(row))
    for limit in (rows.limits[limit] for limit in row.limits):
        yield _wrapped(f"Limit {limit.name}: {quantity(limit.value, limit.unit)} ({limit.origin}). {limit.text}")
    suite = load_suite(rows.id)
    if row.kind == "invariant":
        clause = f" (of it: {', '.join(row.everywhere)})" if row.everywhere else ""
        yield f"\nHolds always{clause}: a breach counts in every scenario. The ones below must be played for a pass."
        yield from (_wrapped(f"Not in {name}: {reason}", "  ") for name, reason in row.excused.items())
    yield f"\nScenarios: {'none yet' if not cover.scenarios else ''}".rstrip()
    for scenario in (suite.by_name(scenario) for scenario in cover.scenarios):
        kind = ", alone" if scenario.exclusive else ""
        yield f"  {scenario.name} ({scenario.path}{kind}, about {scenario.lasts:.0f} s): {scenario.title}"
    yield from (f"Check: {_wrapped(check.text)} [{check.source}]" for check in cover.checks)
    if not cover.checks:
        yield "Check: none yet"
    yield f"Proved by broken clients: {', '.join(cover.mutants) or 'none yet'}"
    if row.causes:
        yield "\nUsual causes of a failure:"
        yield from (_wrapped(f"- {cause}", "  ") for cause in row.causes)
    if row.mend:
        yield "\n" + _wrapped(f"To mend it: {row.mend}")
    if row.others:
        yield "\nThis happened to others:"
        yield from (_wrapped(f"- {one.title} ({one.address})", "  ") for one in row.others)
    yield f"\nAlone: brokercert certify --set {rows.name} --only {row.id} -- COMMAND"


def _judged_after(row: Requirement) -> str:
    """What must have happened before a row can be asked, and what is said of it where that never comes."""
    from brokercert.requirements import NONE

    if row.demanded_by:
        return (
            f"Judged after: {row.antecedent}; demanded by {row.demanded_by}. "
            f"If that never comes, this row is blocked by {row.demanded_by}."
        )
    if row.antecedent == NONE:
        return "Judged after: none. It can be judged from the start."
    return f"Judged after: {row.antecedent}. If that never comes, this row is not observed."


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
