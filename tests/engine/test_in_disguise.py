"""A token in every disguise: LOG-090 tells of it, and no file of the run holds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.trace.disguises import disguises_of, found_in
from brokercert_reports.write import write_reports
from disguised import PARTS, WHOLE
from websockets.asyncio.client import ClientConnection

# Spread over lines of which none says twelve characters: each line of output is looked at alone.
SPREAD = {"bytes, a line each", "lines of eight"}
KNOWN = {name: disguise for name, disguise in (WHOLE | PARTS).items() if name not in SPREAD}
TOLD: list[str] = []


class SaysItInDisguise(ReferenceClient):
    """Prints its token in all disguises, and in a line that is cut within it."""

    saying: tuple[str, ...] = tuple(KNOWN)

    async def open_socket(self) -> ClientConnection:
        token = self.config.token
        TOLD.append(token)
        for disguise in self.saying:
            self._output(KNOWN[disguise](token).encode("utf-8", "replace").decode())
        self._output("A" * (65_536 - 30) + token)
        return await super().open_socket()


def played(client: type[ReferenceClient], out: Path) -> tuple[str, str, list[Path]]:
    """LOG-090's verdict and what it says, and the files of the run."""
    spec = SubjectSpec("subject", factory=lambda env, output: client(env, output), level="in process")
    run = run_certification(
        RunRequest("tradovate-stage2", spec, tier="virtual", scenarios=("steady",), out=out), Quiet()
    )
    row = next(row for row in run.rows if row.id == "LOG-090")
    paths = [*write_reports(run, out / "reports").values(), *out.rglob("*.jsonl")]
    return str(row.verdict), " ".join(finding.observed for finding in row.findings), paths


def test_no_file_holds_it(tmp_path: Path) -> None:
    TOLD.clear()
    verdict, said, files = played(SaysItInDisguise, tmp_path)
    assert verdict == "warning" and "«access-token#1»" in said
    assert len(files) >= 5 and TOLD
    secrets = [disguises_of(token) for token in set(TOLD)]
    for file in files:
        text = file.read_text("utf-8", "replace")  # of the workbook too, which is not compressed
        assert found_in(text, secrets) == [], file.name


@pytest.mark.parametrize("disguise", KNOWN)
def test_the_row_tells_of_each(disguise: str, tmp_path: Path) -> None:
    class SaysOne(SaysItInDisguise):
        saying = (disguise,)

        async def open_socket(self) -> ClientConnection:
            self._output(KNOWN[disguise](self.config.token).encode("utf-8", "replace").decode())
            return await ReferenceClient.open_socket(self)

    verdict, said, _ = played(SaysOne, tmp_path)
    assert verdict == "warning" and "access-token#1» in its output" in said
