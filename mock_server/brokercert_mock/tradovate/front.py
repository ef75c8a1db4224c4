"""How a client finds and trusts this broker: its certificates, and a name server that knows it."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from brokercert_mock.port.ground import Ground
from brokercert_mock.port.names import Mode, NameServer
from brokercert_mock.port.tls import Certificates, Kind
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.told import Told, TradovateFault


class Front:
    """Certificates and names of one broker, as far as its settings ask for them; None: they do not."""

    def __init__(self, ground: Ground, settings: Settings) -> None:
        self._ground, self._settings = ground, settings
        self.names: NameServer | None = None
        self.certificates: Certificates | None = None
        self._names_port = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._ca = Path()

    async def serve_names(self, host: str) -> None:
        """With the setting `name`, listen on a free port of `host`."""
        if self._settings.name:
            self.names = NameServer(self._settings.name, host, self._on_query)
            self._names_port = await self.names.start(host)

    def make_certificates(self) -> ssl.SSLContext:
        """A CA of its own, written where a client can read it; the server's context."""
        self.certificates = Certificates(self._on_hello)
        self._folder = tempfile.TemporaryDirectory(prefix="brokercert-ca-")
        self._ca = self.certificates.write_ca(Path(self._folder.name) / "ca.pem")
        return self.certificates.context()

    def client_facts(self, host: str) -> dict[str, str]:
        """What a client of a broker on `host` is told of them."""
        return {
            **({"CA": str(self._ca)} if self._folder else {}),
            **({"DNS": f"{host}:{self._names_port}"} if self.names else {}),
        }

    def close(self) -> None:
        if self.names is not None:
            self.names.close()
        if self._folder is not None:
            self._folder.cleanup()

    def present(self, kind: Kind) -> None:
        """From here on new connections are shown this certificate; *cut*: their handshake is broken off."""
        assert self.certificates is not None, "the setting `tls` is off"
        requested = self._ground.clock()
        self.certificates.kind = kind
        self._tell(requested, f"{TradovateFault.TLS}{kind}", "")

    def resolve(self, mode: Mode) -> None:
        """From here on the name server answers so."""
        assert self.names is not None, "the setting `name` is empty"
        requested = self._ground.clock()
        self.names.mode = mode
        name = TradovateFault.NAME_RESOLVES.value if mode == "answer" else f"{TradovateFault.NAME}{mode}"
        self._tell(requested, name, self.names.name)

    def _tell(self, requested: float, name: str, detail: str) -> None:
        self._ground.recorder.fault(requested, self._ground.clock(), name, 0, detail)

    def _on_hello(self, kind: str) -> None:
        self._ground.tell_rule(Told.TLS_HELLO.value, 0, kind)

    def _on_query(self, mode: str, name: str) -> None:
        self._ground.tell_rule(f"{Told.DNS}{mode}", 0, name)
