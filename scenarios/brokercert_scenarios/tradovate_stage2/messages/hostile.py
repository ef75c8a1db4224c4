"""Message errors: S2, Error handling. Hostile frames in batches, on the client's first socket and on the next two.

Each frame is a valid one with one named defect (`brokercert.hostile`), the same that `brokercert fuzz` makes.
"""

from random import Random

from brokercert.engine.play.scenario import scenario
from brokercert.hostile import DEFECTS, Hostile, each_once, each_type, generate, make

from brokercert_scenarios.tradovate_stage2.deliver import Delivery
from brokercert_scenarios.tradovate_stage2.stage import Stage

MOST = 900.0  # seconds: five clean reconnects of a client whose back-off has reached a minute, and the probe
GENERATED = 512  # frames of a generated run: sixteen batches of half a second each
AGAIN = 256  # of them once more, after each loss
SECOND_OPEN = Hostile("frame", "second-open", "o")


def _rng(stage: Stage) -> Random:
    """Of the run's seed."""
    return Random(stage.broker.rng.getrandbits(64))


@scenario(
    "malformed-json",
    "Malformed JSON, in every way that has a name",
    exercises=("MSG-010",),
    lasts=21,
    most=MOST,
)
async def malformed_json(stage: Stage) -> None:
    await Delivery(stage).run(each_once(_rng(stage), "json"))


@scenario(
    "events-between-malformed-json",
    "Valid events between frames of malformed JSON, each of which is to be processed",
    exercises=("MSG-015",),
    needs=("wire", "report"),
    lasts=29,
    most=MOST,
)
async def events_between_malformed_json(stage: Stage) -> None:
    await Delivery(stage).run(each_once(_rng(stage), "json"), batch=4)


@scenario(
    "unknown-frames",
    "Frame letters and event kinds that nobody knows, and a second `o`",
    exercises=("MSG-020",),
    lasts=21,
    most=MOST,
)
async def unknown_frames(stage: Stage) -> None:
    rng = _rng(stage)
    unknown = [make(rng, one) for one in DEFECTS.values() if one.level == "message" and one.name.startswith("unknown-")]
    await Delivery(stage).run([*each_once(rng, "frame"), *unknown, SECOND_OPEN])


@scenario(
    "invalid-parameters",
    "Fields that are missing, null, of another type, huge or deeply nested",
    exercises=("MSG-015", "MSG-030"),
    lasts=21,
    most=MOST,
)
async def invalid_parameters(stage: Stage) -> None:
    rng = _rng(stage)
    await Delivery(stage).run([*each_type(), *(frame for _ in range(3) for frame in each_once(rng, "message"))])


async def _violations(stage: Stage, *names: str) -> None:
    """One at a time: each is to end its connection. At most five a run: the client's back-off grows with each."""
    rng = _rng(stage)
    await Delivery(stage).run([make(rng, DEFECTS[f"websocket/{name}"]) for name in names], batch=1, fatal=True)


@scenario(
    "violated-heads",
    "WebSocket frames with reserved bits or opcodes, or a mask; a binary frame",
    exercises=("MSG-040",),
    lasts=38,
    most=MOST,
)
async def violated_heads(stage: Stage) -> None:
    await _violations(stage, "binary", "rsv1", "rsv2-rsv3", "reserved-opcode", "reserved-control", "masked")


@scenario(
    "violated-payloads",
    "Text that is no UTF-8, over-long and fragmented control frames, broken fragmentation",
    exercises=("MSG-040",),
    lasts=38,
    most=MOST,
)
async def violated_payloads(stage: Stage) -> None:
    await _violations(
        stage, "invalid-utf-8", "long-control", "fragmented-control", "stray-continuation", "unfinished-message"
    )


@scenario(
    "violated-closes",
    "Close frames with 1006 and other codes that are never sent, half a code, a reason that is no UTF-8",
    exercises=("MSG-040",),
    lasts=38,
    most=MOST,
)
async def violated_closes(stage: Stage) -> None:
    await _violations(stage, "close-1006", "close-code", "close-one-byte", "close-reason", "cut-utf-8")


@scenario(
    "hostile-run",
    "A generated run of hostile frames of every kind",
    exercises=("MSG-015", "MSG-050"),
    lasts=33,
    most=MOST,
)
async def hostile_run(stage: Stage) -> None:
    rng = _rng(stage)
    drawn = [generate(rng, ("frame", "json", "message")[number % 3]) for number in range(GENERATED)]
    await Delivery(stage).run(drawn, again=AGAIN)
