"""Our own address and URLs, as the machine that asks reaches them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from netprov.boot.request import BootRequest
from netprov.errors import ConfigError, Problem
from netprov.inventory.model import Inventory

CALLBACK = "/api/v1/callback/"
"""What the path of a callback begins with; the install's token follows."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the machine reaches us. Without our HTTP server, loaders are sent to TFTP.

    `syslog_port` is where installers log to; 0: nowhere.
    """

    host: str
    port: int = 80
    http: bool = True
    syslog_port: int = 0

    @classmethod
    def of(cls, inventory: Inventory, request: BootRequest) -> Server:
        """The declared address, else the one the request arrived at. Raises ConfigError where there is neither."""
        settings = inventory.settings
        host = settings.server.address or request.server
        if host is None:
            raise ConfigError(Problem(None, "server.address", "say which address machines reach this server at"))
        syslog = settings.syslog.port if settings.syslog.enabled else 0
        return cls(str(host), settings.http.port, settings.http.enabled, syslog)

    @property
    def authority(self) -> str:
        return self.host if self.port == 80 else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    @property
    def syslog(self) -> str:
        """ "host:port" of who receives installers' logs; "" where nobody does."""
        return f"{self.host}:{self.syslog_port}" if self.syslog_port else ""

    @property
    def scripts_url(self) -> str:
        """What the names of loaders' scripts follow."""
        return self.url if self.http else f"tftp://{self.host}"

    def file_url(self, name: str) -> str:
        """The URL of a file under tftp.root; a name that is a URL already stays as it is."""
        folder = "/files" if self.http else ""
        return name if "://" in name else f"{self.scripts_url}{folder}/{quote(name.lstrip('/'))}"

    def autoinstall_url(self, kind: str, name: str, token: str) -> str:
        """Where the answers of a "system" or "profile" are."""
        path = self._answers(kind, name)
        return f"{path}?token={quote(token, safe='')}" if token else path

    def seed_url(self, kind: str, name: str, token: str) -> str:
        """The same for cloud-init, which appends the name of a file to it."""
        path = self._answers(kind, name)
        return f"{path}/{quote(token, safe='')}/" if token else f"{path}/"

    def _answers(self, kind: str, name: str) -> str:
        folder = "" if kind == "system" else f"{kind}/"
        return f"{self.url}/autoinstall/{folder}{quote(name, safe='')}"

    def callback_url(self, token: str, status: str) -> str:
        """Where an installer reports its end: status "done" or "failed". "" without a token."""
        return f"{self.url}{CALLBACK}{quote(token, safe='')}?status={status}" if token else ""
