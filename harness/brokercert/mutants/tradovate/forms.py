"""Forms of a mutant: its defect in one lane of three only, or only from the socket after a loss on.

No form is written by hand. A form's client is two clients in one, which share what belongs to the user (sessions,
stores, token, lock-out): the reference client, and the mutant. Each socket is the work of one of them, from its making
to the delay after its end, so that whatever a mutant changes of a socket is changed on those sockets alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.register import Form, Forms
from brokercert.mutants.tradovate.formless import CHANGES, KNOCKS, MUTANTS, ROWS
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import STAGGER, End, ReferenceClient
from brokercert.reference.tradovate.requests import Outcome

THREE = "3"
# What both share: a socket's maker hands it on to nobody, but its shard's store, the user's lock-out and draws stay.
SHARED = ("_sessions", "_wake", "lockout", "_rng", "stores")


class _Hand(ReferenceClient):
    """One lane of a client of two kinds: `acting` makes its sockets, and decides what follows the end of each."""

    def __init__(self, whole: FormClient, shard: int) -> None:
        vars(self).update(vars(whole))
        self._whole, self._shard = whole, shard
        self._losses = 0  # sockets of this lane that were upgraded and have ended, while the sound client had it
        self._ladder: Backoff | None = None
        self.acting: ReferenceClient = self

    @property
    def _stop(self) -> Any:  # type: ignore[override]
        """Whether *its* client was told to stop, and heeds it."""
        return self._whole.__dict__["_stop"] if self.acting is self else self.acting._stop

    def opens_after(self, shard: int) -> float:
        """Of several shards the one with the remainder 0, which carries most, opens second."""
        return STAGGER * ((shard + 1) % self.config.shards)

    async def _attempt(self, shard: int) -> End:
        if self.acting is self and self._whole.is_spoiled(shard, self._losses):
            self.acting = self._whole.defective
            self.acting.tokens = self.tokens
            self.stores[shard] = _grown(self.acting.store_class(), self.stores[shard])
        return await (super()._attempt(shard) if self.acting is self else self.acting._attempt(shard))

    async def _live(self, shard: int, ws: ClientConnection, token: str) -> End:
        try:
            return await super()._live(shard, ws, token)
        finally:
            self._losses += 1

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        if self.acting is self:
            return super().delay_after(end, backoff, refusals)
        if self._ladder is None:
            ladder = self.acting.backoff_class(self._rng, first=0, longest=0, stable_after=0)
            self._ladder = _grown(ladder, backoff)
        return self.acting.delay_after(end, self._ladder, refusals)


def _grown(new: Any, old: Any) -> Any:
    """`new`, which knows what `old` knew."""
    vars(new).update(vars(old))
    return new


class FormClient(ReferenceClient):
    """The reference client, with a mutant's doings on some of its sockets."""

    mutant: ClassVar[type[ReferenceClient]]

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **options: Any) -> None:
        super().__init__(env, output, **options)
        self.defective = self.mutant(env, output, **options)
        for name in SHARED:
            setattr(self.defective, name, getattr(self, name))
        self._hands = {shard: _Hand(self, shard) for shard in range(self.config.shards)}

    def is_spoiled(self, shard: int, losses: int) -> bool:
        """Whether the next socket of this shard is the mutant's, after so many losses of its own."""
        raise NotImplementedError

    async def _lane(self, shard: int) -> None:
        hand = self._hands[shard]
        hand.tokens = self.tokens
        await hand._lane(shard)

    async def stop(self) -> None:
        await super().stop()
        await self.defective.stop()

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        self._hands[more.get("shard", 0)].acting.submit(endpoint, done, **more)


class _SecondShard(FormClient):
    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **options: Any) -> None:
        asked = env.get("BROKERCERT_SHARDS") or "1"
        super().__init__({**env, "BROKERCERT_SHARDS": THREE if asked == "1" else asked}, output, **options)

    def is_spoiled(self, shard: int, losses: int) -> bool:
        return shard == 0


class _AfterOneLoss(FormClient):
    least = 1

    def is_spoiled(self, shard: int, losses: int) -> bool:
        return losses >= self.least


class _AfterTwoLosses(_AfterOneLoss):
    least = 2


def _maker(kind: type[FormClient]) -> Callable[[type[Any]], type[Any]]:
    def make(client: type[Any]) -> type[Any]:
        return type(f"{client.__name__}{kind.__name__}", (kind,), {"mutant": client, "__doc__": client.__doc__})

    return make


FORMS = Forms(
    all=(
        Form("second-shard", "on the second of three shards only", _maker(_SecondShard)),
        Form("after-one-loss", "from its second socket on", _maker(_AfterOneLoss)),
        Form("after-two-losses", "from its third socket on", _maker(_AfterTwoLosses)),
    ),
    reference=ReferenceClient,
    changes=CHANGES,
    mutants=MUTANTS,
    rows=ROWS,
    knocks=KNOCKS,
)
