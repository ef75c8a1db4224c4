"""The rules that the Arrow broker takes: all that are about no protocol."""

from __future__ import annotations

from brokercert_mock.port.rules import shared
from brokercert_mock.port.rules.rule import Kinds

TAKES: Kinds = (
    shared.AcceptClosed,
    shared.UpgradeRefused,
    shared.UpgradeUnanswered,
    shared.UpgradeClosed,
    shared.UpgradeThenClose,
    shared.Refuse,
    shared.AnswerWith,
    shared.AnswerAfter,
    shared.NeverAnswer,
    shared.HoldRequest,
    shared.EventTwice,
    shared.EventDropped,
)
