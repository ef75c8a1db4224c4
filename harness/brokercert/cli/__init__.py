"""The command line: `brokercert COMMAND`.

The law: a command is imported when it is asked for, so that `--help` costs nothing; and how it ends is the exit
status of docs/exit-codes.md, whatever happens on the way: 1 is said of a client only, never of ourselves.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

# brokercert.verdict.ExitCode, which is not imported here: it would double the time that --help takes.
USAGE, HARNESS_ERROR, INTERRUPTED = 2, 3, 130
COMPLETION = "_BROKERCERT_COMPLETE"  # click's own variable, by which a shell asks for completion

COMMANDS: dict[str, tuple[str, str]] = {  # name -> module and function, what it does
    "certify": (
        "brokercert.cli.certify:certify",
        "Run a client through a requirement set and say whether it is certified.",
    ),
    "init": ("brokercert.cli.init:init", "Write a brokercert.toml for the client in this folder, and start it once."),
    "check": (
        "brokercert.cli.check:check",
        "Start a client once, and say in words what came. No verdict.",
    ),
    "doctor": ("brokercert.cli.doctor:doctor", "Look at this machine: what will trouble a run, and the remedy."),
    "list": ("brokercert.cli.show:list_", "List the requirements, and what exercises, checks and proves each."),
    "explain": (
        "brokercert.cli.show:explain",
        "Explain one requirement: what it asks, how it is judged, how to mend it.",
    ),
    "drift": (
        "brokercert.cli.drift:drift",
        "Compare a saved page with the sentences that a set was made from.",
    ),
    "judge": ("brokercert.cli.judge:judge", "Judge saved traces again, without network and client."),
    "matrix": ("brokercert.cli.matrix:matrix", "Prove the checks: every known defect through every scenario."),
    "report": ("brokercert.cli.judge:report", "Render the reports of a run.json again."),
    "plan": ("brokercert.cli.plan:plan", "Print the test plan of a set, to be filled in."),
    "bundle": ("brokercert.cli.parcel:bundle", "Pack a run into one file that a partner can check."),
    "verify": ("brokercert.cli.parcel:verify", "Check a bundle, without client and network."),
    "diff": ("brokercert.cli.diff:diff", "Say what is otherwise between two runs or bundles."),
    "gallery": ("brokercert.cli.gallery:gallery", "Make one page over the bundles of a folder."),
    "key": ("brokercert.cli.parcel:key", "Make the key by which bundles are signed."),
    "schema": (
        "brokercert.cli.show:schema",
        "Print a JSON Schema: of the lines between harness and client, or of brokercert.toml.",
    ),
    "fuzz": ("brokercert.cli.fuzz:fuzz", "Feed a client hostile frames, and save what breaks it."),
    "simulate": ("brokercert.cli.simulate:simulate", "Play hours of random trading under random faults."),
    "replay": ("brokercert.cli.fuzz:replay", "Play again what fuzz or simulate saved."),
    "serve": ("brokercert.cli.serve:serve", "Run the mock broker alone, to try a client by hand."),
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from brokercert.near import hint

            raise click.UsageError(f"no command {args[0]!r}{hint(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="brokercert", prog_name="brokercert")
def cli() -> None:
    """Certify a trading WebSocket client: one command, a verdict per requirement, the evidence from the wire.

    Exit status: 0 certified, 1 failed, 2 usage, 3 harness error, 4 incomplete, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line. Returns its exit status, and raises nothing but what a further signal raises."""
    from brokercert.cli.outlet import steady_streams

    with steady_streams():
        try:
            result = cli.main(
                args=None if arguments is None else list(arguments), prog_name="brokercert", standalone_mode=False
            )
            return int(result or 0)
        except BaseException as error:  # the boundary to the shell: said, and told apart by whom it blames
            return _status_of(error)


def _status_of(error: BaseException) -> int:
    """Whatever ended a command: 2, 3 or 130. Never 1, which is said by a command that has looked at a client."""
    from asyncio import CancelledError

    from brokercert.cli.outlet import say

    if isinstance(error, SystemExit) and COMPLETION in os.environ:  # click ends so once it has answered a shell
        return USAGE if error.code else 0
    if isinstance(error, click.ClickException):
        _show(error)
        return USAGE
    if isinstance(error, click.Abort) and error.__cause__ is not None:
        error = error.__cause__  # click says so of an EOFError too, which is nobody's wish
    if isinstance(error, click.Abort | KeyboardInterrupt | CancelledError):
        print("brokercert: interrupted", file=sys.stderr)
        return INTERRUPTED
    if _is_usage(error):
        say(f"brokercert: {error}", err=True)
        return USAGE
    if isinstance(error, FileNotFoundError) and not _is_somewhere():
        print("brokercert: the working directory has been removed; change to one that exists", file=sys.stderr)
        return USAGE
    if (lack := _lacking(error)) is not None:
        say(f"brokercert: {lack}; this says nothing of the client", err=True)
        return HARNESS_ERROR
    _tell_traceback(error)
    print("brokercert: the harness itself broke; this says nothing of the client", file=sys.stderr)
    return HARNESS_ERROR


def _show(error: click.ClickException) -> None:
    """In the one style of all messages. What was typed may stand in it."""
    from brokercert.cli.outlet import say

    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None and error.message == context.get_help():  # nothing was typed: its message is the help
        error.show()
        return
    more = f" (`{context.command_path} --help` lists what there is)" if context is not None else ""
    text = error.format_message().rstrip(".")
    say(f"brokercert: {text[:1].lower() + text[1:]}{more}", err=True)


def _lacking(error: BaseException) -> str | None:
    """What the machine lacks, where that is what ended a command, and what to do; None where it is something else."""
    import errno

    if not isinstance(error, OSError):
        return None
    what = {
        errno.EMFILE: "raise `ulimit -n`",
        errno.ENFILE: "end what holds too many open files",
        errno.ENOSPC: "free some space",
        errno.EDQUOT: "free some space",
    }.get(error.errno or 0)
    return what and f"the harness could not go on: {error.strerror}: {error.filename or 'no file'}; {what}"


def _is_somewhere() -> bool:
    try:
        return bool(os.getcwd())
    except OSError:
        return False


def _tell_traceback(error: BaseException) -> None:
    import traceback

    from brokercert.cli.outlet import say

    try:
        say("".join(traceback.format_exception(error)).rstrip("\n"), err=True)
    except Exception:  # no memory, or no stack, is left for it
        print(f"brokercert: {type(error).__name__}", file=sys.stderr)


def _is_usage(error: BaseException) -> bool:
    from brokercert.engine.errors import UsageError
    from brokercert.requirements import RequirementError

    return isinstance(error, UsageError | RequirementError)
