"""`brokercert plan`: the sheet that a broker asks for, before anything was run."""

from __future__ import annotations

from pathlib import Path

import click

from brokercert.cli.options import Place, set_typed
from brokercert.cli.outlet import say
from brokercert.sets import default_set


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", default=default_set(), show_default=True, help="Requirement set.")
@click.option("--csv", "csv_path", type=Place(dir_okay=False), help="Write it into this file, as CSV.")
@click.option("--xlsx", "xlsx_path", type=Place(dir_okay=False), help="Write it into this file, for a spreadsheet.")
def plan(set_name: str, csv_path: Path | None, xlsx_path: Path | None) -> int:
    """Print the test plan of a set: its rows in the order and words of the broker's page, to be filled in.

    A run writes the same sheet, filled in, as plan.csv and plan.xlsx into its folder.
    """
    from brokercert_reports.plan import HEADINGS, empty_plan
    from brokercert_reports.sheet import render_csv, render_xlsx

    from brokercert.engine.ask.given import write_given

    sheet = empty_plan(set_typed(set_name))
    if csv_path is not None:
        write_given(csv_path, render_csv(sheet), "--csv")
    if xlsx_path is not None:
        write_given(xlsx_path, render_xlsx(sheet), "--xlsx")
    if csv_path is None and xlsx_path is None:
        for name, text in sheet.above:
            say(f"{name}: {text}")
        for line in sheet.lines:
            told = dict(zip(HEADINGS, line, strict=True))
            place = f"{told['Section']}, sentence {told['Sentence']}: {told['The page says (first words)']}"
            say(f"\n{told['No']}. {place if told['Section'] else 'not asked by a sentence of the page'}")
            say(f"   {told['Row']} ({told['Level']}) {told['Requirement']}")
            if told["Budget"]:
                say(f"   Budget: {told['Budget']}")
            say("   Result: ________________  Evidence: ________________  Sign-off: ________________")
    return 0
