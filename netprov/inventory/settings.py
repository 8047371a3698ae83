"""netprov.yaml's sections → Settings, with its relative paths made absolute: they are relative to the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from netprov.inventory.fields import Kind
from netprov.inventory.model import (
    DhcpSettings,
    HttpSettings,
    ServerSettings,
    Settings,
    SyslogSettings,
    TftpSettings,
    Token,
    User,
    Webhook,
)
from netprov.inventory.nodes import MapNode, ScalarNode, origin_of
from netprov.inventory.read import Layer, Reader
from netprov.inventory.report import Report
from netprov.inventory.types import PATH, Wrong, unset

T = TypeVar("T", User, Token, Webhook)


class SettingsReader:
    """Reads the sections of one netprov.yaml, whose folder is `base`."""

    def __init__(self, root: MapNode, base: Path, report: Report) -> None:
        self.root = root
        self.base = base
        self.report = report
        self.reader = Reader(report)

    def section(self, kind: Kind) -> Layer:
        node = self.root.entries.get(kind)
        if node is None:
            return Layer({}, {})
        try:
            return self.reader.layer(kind, self.reader.mapping(node), str(kind))
        except Wrong as wrong:
            self.report.error(origin_of(wrong.node), str(kind), wrong.text)
            return Layer({}, {})

    def settings(self) -> tuple[Settings, tuple[Layer, ...]]:
        """The settings, and the subnets of the dhcp section."""
        server = self.server()
        server["state"] = str(self.base / server.get("state", ServerSettings().state))
        dhcp = self.section(Kind.DHCP).values
        subnets: tuple[Layer, ...] = dhcp.pop("subnets", ())
        tftp: dict[str, Any] = self.section(Kind.TFTP).values
        tftp["root"] = self.base / tftp.get("root", TftpSettings().root)
        settings = Settings(
            server=ServerSettings(**server),
            dhcp=DhcpSettings(**dhcp),
            tftp=TftpSettings(**tftp),
            http=HttpSettings(**self.section(Kind.HTTP).values),
            syslog=SyslogSettings(**self.section(Kind.SYSLOG).values),
            templates=self.folder("templates", "pxelinux.cfg.templates"),
            autoinstall=self.folder("autoinstall", "autoinstall"),
        )
        return settings, subnets

    def server(self) -> dict[str, Any]:
        values = self.section(Kind.SERVER).values
        values["users"] = self.credentials("users", "password", values.get("users", {}), User)
        values["tokens"] = self.credentials("tokens", "hash", values.get("tokens", {}), Token)
        values["webhooks"] = self.credentials("webhooks", "url", values.get("webhooks", {}), Webhook)
        return values

    def credentials(self, field: str, needed: str, named: dict[str, Layer], made: Callable[..., T]) -> tuple[T, ...]:
        """Users, tokens, webhooks; one without its hash, or URL, would be one that nobody can use."""
        for name, layer in named.items():
            where = f"server, field {field}.{name}"
            refused = any(problem.where == f"{where}.{needed}" for problem in self.report.errors)
            if needed not in layer.values and not refused:
                self.report.error(layer.origin, where, f"has no {needed}: it is required")
        return tuple(made(name, **layer.values) for name, layer in named.items())

    def folder(self, key: str, default: str) -> Path | None:
        """The folder that `key` names; without it, the one called `default` where there is one."""
        given = self.path(key)
        if given is None:
            return self.base / default if (self.base / default).is_dir() else None
        if not given.is_dir():
            self.report.error(origin_of(self.root.entries[key]), key, f"no such folder: {given}")
        return given

    def path(self, key: str) -> Path | None:
        node = self.root.entries.get(key)
        if node is None or unset(node):
            return None
        try:
            if isinstance(node, ScalarNode) and node.text:
                return self.base / str(PATH.read(node))
            raise Wrong(node, "must be a path")
        except Wrong as wrong:
            self.report.error(origin_of(wrong.node), key, wrong.text)
            return None
