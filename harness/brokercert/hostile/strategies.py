"""Hostile frames for Hypothesis: in tests of a client's own handlers, which pytest runs and Hypothesis shrinks.

    @given(hostile_texts())
    def test_my_handler_takes_whatever_comes(text: str) -> None:
        on_text(text)

Apart from `brokercert.hostile`, so that nobody else pays for importing Hypothesis. What is drawn is what the scenarios
and `brokercert fuzz` send; no frame is something that a broker may say and a client must obey (docs/fuzzing.md).
"""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import strategies as st

from brokercert.hostile.model import DEFECTS, LEVELS, Hostile, Level, defects_of, generate, make

TEXT_LEVELS = LEVELS[1:]  # a handler is given text: what breaks the WebSocket never reaches it


def hostile_frames(*levels: Level, defects: Collection[str] = ()) -> st.SearchStrategy[Hostile]:
    """Frames of these levels (default: those that have a text), or of these defects, as in "json/trailing-comma".

    Shrinks towards the first level, the first defect and the first values of its lists. Raises ValueError for a level
    or a defect that there is none of.
    """
    strangers = [*(set(defects) - DEFECTS.keys()), *(set(levels) - set(LEVELS))]
    if strangers:
        raise ValueError(f"no such level or defect: {strangers[0]!r}; see LEVELS and DEFECTS of brokercert.hostile")
    if defects and levels:
        raise ValueError("expected levels or defects: a defect has a level of its own")
    draws = st.randoms(use_true_random=False)  # each draw of a maker becomes one of Hypothesis, which can shrink it
    meant = levels or TEXT_LEVELS
    each = [DEFECTS[name] for name in defects] or [one for level in meant for one in defects_of(level)]
    evenly = st.builds(make, draws, st.sampled_from(each))
    if defects:
        return evenly
    # Half of a hundred examples so that nearly every defect comes, half where there is most to be wrong in.
    return evenly | st.builds(generate, draws, st.sampled_from(meant))


def hostile_texts(*levels: Level, defects: Collection[str] = ()) -> st.SearchStrategy[str]:
    """The same as `hostile_frames`, as the texts that a handler is given. None has a text at the level *websocket*:
    ValueError.
    """
    if "websocket" in levels or any(name.startswith("websocket/") for name in defects):
        raise ValueError("what breaks the WebSocket has no text; expected frame, json or message")
    return hostile_frames(*levels, defects=defects).map(lambda frame: frame.text)
