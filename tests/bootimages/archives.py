"""A stand-in for apt: packages in folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from netprov.bootimages.packages import Archive, Package
from netprov.errors import ConfigError, Problem


class FolderArchive(Archive):
    """`add` makes a package; opening one that was not added fails as apt would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, progress=self._note)
        self.said: list[str] = []
        self.opened: list[str] = []
        self.packages: dict[tuple[str, str], tuple[dict[str, str], dict[str, bytes]]] = {}

    def _note(self, text: str) -> None:
        self.said.append(text)

    def add(self, name: str, arch: str, version: str, files: Mapping[str, bytes], depends: str = "") -> None:
        self.packages[name, arch] = ({"Package": name, "Version": version, "Depends": depends}, dict(files))

    def native(self) -> str:
        return "amd64"

    def refresh(self, arch: str) -> None:
        pass

    def installed(self, names: Iterable[str], arch: str) -> Mapping[str, str]:
        return {}

    def offered(self, names: Iterable[str], arch: str) -> Mapping[str, Mapping[str, str]]:
        return {name: self.packages[name, arch][0] for name in names if (name, arch) in self.packages}

    @contextmanager
    def open(self, name: str, arch: str) -> Iterator[Package]:
        if (name, arch) not in self.packages:
            raise ConfigError(Problem(None, f"package {name} ({arch})", "the apt sources do not offer it"))
        self.opened.append(name)
        record, files = self.packages[name, arch]
        tree = self.cache / "trees" / f"{name}-{arch}"
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        yield Package(name, record["Version"], arch, tree)
