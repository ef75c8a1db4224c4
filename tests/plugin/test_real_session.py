"""One real run inside pytest, in a project with asynchronous tests of its own and warnings as errors."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


def test_a_real_run_in_a_project_with_asynchronous_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        def test_before():
            pass

        @pytest.mark.asyncio
        async def test_own():
            await asyncio.sleep(0)
        """
    )
    pytester.makepyprojecttoml(
        """
        [tool.pytest]
        strict_config = true
        strict_markers = true
        filterwarnings = ["error"]
        asyncio_default_fixture_loop_scope = "function"
        asyncio_default_test_loop_scope = "function"
        addopts = ["-p", "no:looptime_plugin"]

        [tool.brokercert.subject]
        command = ["sh", "-c", "echo lost; exit 3"]
        """
    )
    result = pytester.runpytest_subprocess(
        "--brokercert",
        "tradovate-stage2",
        "--brokercert-only",
        "LOG-025",
        "-rA",
        "-p",
        "no:hypothesispytest",
        timeout=40,
    )
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(["ERROR tradovate-stage2::LOG-025::*", "FAILED tradovate-stage2::certificate*"])
