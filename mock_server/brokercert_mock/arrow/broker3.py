"""The broker of the third edition: other names, another message, another REST API; everything else is the first's."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from brokercert_mock.arrow.broker import ArrowBroker
from brokercert_mock.arrow.edition3 import Edition3
from brokercert_mock.arrow.rest3 import OrdersApi3
from brokercert_mock.arrow.sessions import Login
from brokercert_mock.arrow.settings import Settings3
from brokercert_mock.port.recorder import Recorder


class ArrowBroker3(ArrowBroker):
    """As `ArrowBroker`."""

    def __init__(
        self,
        settings: Settings3 | None = None,
        recorder: Recorder | None = None,
        seed: int = 1,
        clock: Callable[[], float] | None = None,
        wall_start: datetime.datetime | None = None,
    ) -> None:
        settings = settings or Settings3()
        self.edition = Edition3(settings)
        super().__init__(settings, recorder, seed, clock, wall_start)

    def make_api(self) -> OrdersApi3:
        return OrdersApi3(
            self.ground, self.settings, self.book, self.orders, self.sessions, self.password, self.issue_login
        )

    def credential_facts(self, rest: str, login: Login) -> dict[str, str]:
        return {
            "APP_ID": login.session,
            "TOKEN": login.token,
            "APP_SECRET": self.password,
            "LOGIN_URL": f"{rest}/app/login",
        }
