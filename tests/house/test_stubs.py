"""No stub of `dev.py new` is left: each has become what it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from new import SEARCHED, stubs_left
from stubs import fill


def test_no_stub_is_left() -> None:
    left = stubs_left()
    assert not left, "fill each in (CONTRIBUTING.md, A row):\n" + "\n".join(left)


@pytest.mark.parametrize("folder", SEARCHED)
def test_a_stub_is_found_wherever_it_lies(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "deep" / "in.py"
    path.parent.mkdir(parents=True)
    path.write_text(f'\n"""{fill("HBT-090", "the one defect.")}"""\n')
    assert stubs_left(tmp_path) == [f"{folder}/deep/in.py:2: {fill('HBT-090', 'the one defect.')}"]
