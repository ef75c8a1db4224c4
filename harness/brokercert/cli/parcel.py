"""`brokercert bundle`, `verify` and `key`: a run as one file, and what a stranger can say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import JOBS, Place
from brokercert.cli.outlet import say

if TYPE_CHECKING:
    from brokercert.parcel.check import Checked
    from brokercert.parcel.compared import Difference

LONGEST = 600  # characters of the sentence that says what is wrong
MOST_NAMED = 20  # rows that are judged otherwise, a line each; more are counted


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def key() -> None:
    """Make the key by which bundles are signed."""


@key.command("new", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=Place(dir_okay=False))
def key_new(file: Path) -> int:
    """Make an Ed25519 key: the private one in FILE, for you alone, the public one in FILE.pub, to be given away."""
    from brokercert.parcel.keys import new_key

    public, name = new_key(file)
    say(f"private key: {file} (keep it; it has no password)")
    say(f"public key: {public} (give it to those who verify, by another way than the bundle)")
    say(f"its name: {name}")
    return 0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=Place(dir_okay=False), help="The bundle's file (default: bundle.zip in the run's folder).")
@click.option("--key", "key_path", type=Place(dir_okay=False), help="Sign it with this private key.")
@click.option("--draft", is_flag=True, help="Of a run that is not certified too; each page says that it is none.")
@click.argument("run", type=Place(exists=True))
def bundle(run: Path, out: Path | None, key_path: Path | None, draft: bool) -> int:
    """Pack a run into one file that a partner's team can check: plan, reports, logs, traces, set, and a statement.

    RUN is a run's folder, such as out/latest, or its run.json.
    """

    from brokercert.parcel.keys import private_key
    from brokercert.parcel.pack import pack

    path, record = pack(run, out, private_key(key_path) if key_path else None, draft)
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {'signed' if key_path else 'not signed'}")
    say(f"{'DRAFT, not a certificate: ' if draft else ''}{record.sentence}")
    return 0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--key", "key_path", type=Place(dir_okay=False), help="It must be signed by this public key.")
@click.option("--challenge", metavar="TEXT", help="Its run must have been asked with this text.")
@JOBS
@click.argument("bundle", type=Place(exists=True, dir_okay=False))
def verify(bundle: Path, key_path: Path | None, challenge: str | None, jobs: int) -> int:
    """Check a bundle without client and network: that it is whole, and that its verdicts follow from its traces.

    Exit status: 0 whole and certified, 4 whole but a draft, 6 something is wrong, 7 judged otherwise by this build,
    8 it cannot be checked here.
    """

    from brokercert.engine.ask.challenge import checked_challenge
    from brokercert.parallel import workers
    from brokercert.parcel.check import check
    from brokercert.parcel.keys import given_public_key
    from brokercert.parcel.status import BundleError, Status

    wanted = None if challenge is None else checked_challenge(challenge, "--challenge")
    asked = given_public_key(key_path) if key_path else None
    few = bundle.stat().st_size < LITTLE
    try:
        checked = check(bundle, asked, wanted, workers("", jobs, few=few))
    except BundleError as error:
        word = {Status.UNREADABLE: "cannot be checked", Status.OTHERWISE: "judged otherwise"}.get(error.status, "wrong")
        say(f"{bundle}: {word}: {short(str(error))}")
        return error.status.value
    for text in told(bundle, checked):
        say(text)
    return checked.status.value


def short(text: str) -> str:
    """One line, of which a terminal shows all."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


LITTLE = 10_000_000  # bytes of a bundle: below that judging takes less than starting workers


def told(bundle: Path, checked: Checked) -> Iterator[str]:
    """What is known of a bundle that is whole, the sentence first; then what it proves, and what it cannot."""
    from brokercert_reports.view import waiver_lines

    from brokercert.parcel.status import Status

    run = checked.run
    if checked.status is Status.OTHERWISE:
        yield from _otherwise(bundle, checked)
    elif checked.draft:
        yield f"{bundle}: whole, but a DRAFT, not a certificate: {run.sentence}"
    else:
        yield f"{bundle}: whole: {run.sentence}"
    yield f"Run {run.run_id}, {run.started}, by {run.tool}, set {run.named} version {run.set_version}."
    if not checked.signer:
        yield "Not signed: whoever had it on the way could have made another one."
    elif checked.known:
        yield f"Signed by the key that you named: {checked.signer}."
    else:
        yield f"Signed by the key {checked.signer}: ask its owner whether it is theirs, or name it with --key."
    if run.challenge:
        yield f"Asked with the challenge {run.challenge!r}, of which its seed follows."
    yield "It proves: " + "; ".join(_proves(checked)) + "."
    yield (
        "It cannot prove: that the client which is named was played; that it was played only once; what run.json alone "
        "says: when and where it was played, how long that took, the client's command, build and last lines, notes and "
        "waivers."
    )
    for text in waiver_lines(run):
        yield f"It cannot prove who decided to bear a failure, and when: {text}"


def _proves(checked: Checked) -> Iterator[str]:
    signed = ", unaltered since it was signed" if checked.signer else ""
    yield f"every file is the one that the manifest names{signed}"
    if not checked.otherwise:
        yield "verdicts, figures and outcome follow from the traces, judged again here"
    if checked.compared:
        yield "its pages and logs say the same as these"
    else:
        yield "its pages were made by another build, and are not those that this one makes"


def _otherwise(bundle: Path, checked: Checked) -> Iterator[str]:
    run = checked.run
    rows: dict[str, Difference] = {}
    for one in checked.otherwise:
        rows.setdefault(one.row or one.place, one)
    if rows:
        yield f"{bundle}: whole, and judged otherwise in {len(rows)} row(s) or field(s): {checked.judge}."
    else:
        what = "whole, and judged the same, but nothing vouches for its pages"
        yield f"{bundle}: {what}: {checked.judge}: {run.sentence}"
    for one in list(rows.values())[:MOST_NAMED]:
        yield f"{one.place}: {one.said} by {run.tool}; judged otherwise here: {one.follows}."
    if len(rows) > MOST_NAMED:
        yield f"{len(rows) - MOST_NAMED} more."
    if not checked.vouched:
        build = f", build {run.judge}" if run.judge else ""
        yield f"Verify it with {run.tool}{build}, which makes its pages again; or name the key of its sender (--key)."
