"""A plan as CSV and as XLSX: the same bytes each time, and every cell a text.

The law: nothing that a client said is ever a formula or markup. XLSX cells are written as strings, letter by letter. In
CSV, which knows no types, a cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence

import xlsxwriter

from brokercert_reports.plan import HEADINGS, SENTENCE_HEADINGS, Plan
from brokercert_reports.text import printable

LONGEST = 2000  # characters of a cell: a spreadsheet refuses 32,768, and a person reads no more
SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"  # with which a formula may begin, full width too
FORMULA = re.compile(f"^(?=\\s*[{SIGNS}])")
# Where lists are separated by semicolons, a spreadsheet cuts a quoted cell there all the same.
CUT = re.compile(f"([;|])(?=\\s*[{SIGNS}])")
WIDTHS = (5, 14, 20, 9, 24, 34, 9, 48, 8, 12, 36, 48, 34, 18, 26, 18, 26, 14, 18)  # characters, beside HEADINGS
# Of each cell of a workbook while it is made: xlsxwriter writes what stands in <r> and </r> as it is, and a spreadsheet
# reads it as markup. No cell holds the sign, since it is not printable.
PLAIN = "\u2060"
STRINGS = "xl/sharedStrings.xml"
SENTENCE_WIDTHS = (28, 28, 9, 34, 56, 56)


def cell(text: str) -> str:
    """A text as a cell holds it: printable, in one line, and not too long to read."""
    text = " ".join(printable(text).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def csv_cell(text: str) -> str:
    """The same, which no spreadsheet takes for a formula."""
    return CUT.sub(r"\1'", FORMULA.sub("'", cell(text)))


def render_csv(plan: Plan) -> bytes:
    """UTF-8 with a mark of it, since a spreadsheet guesses otherwise; every cell quoted, lines ending in CR LF."""
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for line in (*plan.above, ("",), HEADINGS, *plan.lines):
        writer.writerow([csv_cell(text) for text in line])
    return target.getvalue().encode("utf-8-sig")


def render_xlsx(plan: Plan) -> bytes:
    """Two sheets: the plan, and every sentence of the page with what judges it."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties({"title": "Test plan", "created": plan.made})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    body = book.add_format({"text_wrap": True, "valign": "top"})
    marked = dict(plan.above).get(plan.above[0][0], "") if plan.above[0][0] == plan.above[0][1] else ""
    _sheet(book.add_worksheet("Plan"), plan.above, HEADINGS, plan.lines, WIDTHS, head, body, marked)
    _sheet(
        book.add_worksheet("Page"),
        plan.above[:2],
        SENTENCE_HEADINGS,
        plan.sentences,
        SENTENCE_WIDTHS,
        head,
        body,
        marked,
    )
    book.close()
    return _unpacked(target.getvalue())


def _unpacked(book: bytes) -> bytes:
    """The same workbook without compression, since that is another one with each zlib, and without `PLAIN`."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as packed, zipfile.ZipFile(target, "w") as plain:
        for one in packed.infolist():
            info = zipfile.ZipInfo(one.filename, (1980, 1, 1, 0, 0, 0))
            info.create_system = 0
            content = packed.read(one)
            plain.writestr(info, content.replace(PLAIN.encode(), b"") if one.filename == STRINGS else content)
    return target.getvalue()


def _sheet(
    sheet: xlsxwriter.worksheet.Worksheet,
    above: Sequence[tuple[str, str]],
    headings: Sequence[str],
    lines: Iterable[Sequence[str]],
    widths: Sequence[int],
    head: xlsxwriter.format.Format,
    body: xlsxwriter.format.Format,
    marked: str,
) -> None:
    """`marked` stands on every page that is printed of it."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_header(f"&C{marked}")
    sheet.set_footer("&CPage &P of &N")
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    for number, (name, text) in enumerate(above):
        _write(sheet, number, 0, name, head)
        _write(sheet, number, 2, text)
    top = len(above) + 1
    for place, text in enumerate(headings):
        _write(sheet, top, place, text, head)
    sheet.repeat_rows(top)
    sheet.freeze_panes(top + 1, 0)
    for number, line in enumerate(lines, top + 1):
        for place, text in enumerate(line):
            _write(sheet, number, place, text, body)


def _write(
    sheet: xlsxwriter.worksheet.Worksheet,
    row: int,
    column: int,
    text: str,
    form: xlsxwriter.format.Format | None = None,
) -> None:
    text = cell(text)
    sheet.write_string(row, column, f"{PLAIN}{text}" if text else "", form)
