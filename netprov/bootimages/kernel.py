"""The distribution's kernel as a package has it: the signed image, and modules with those they need."""

from __future__ import annotations

import lzma
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from netprov.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Module:
    """One kernel module, unpacked; its signature is part of the content, so Secure Boot takes it."""

    name: str  # with _, as the kernel says it
    content: bytes


def modules_folder(tree: Path, release: str) -> Path | None:
    """Where the modules of kernel `release` are under `tree`, wherever the distribution puts /lib; None: not there."""
    places = (tree / "lib/modules" / release, tree / "usr/lib/modules" / release)
    return next((place for place in places if (place / "kernel").is_dir()), None)


def with_dependencies(folder: Path, wanted: Iterable[str]) -> list[Module]:
    """Those of `wanted` that the kernel has as modules, in the order to load them, each after what it needs.

    A name without a file is built into this kernel, or its flavour does not have it: both are left out.
    """
    files = _index(folder)
    loaded: dict[str, Module] = {}
    for name in wanted:
        _load(name, files, loaded, ())
    return list(loaded.values())


def _load(name: str, files: Mapping[str, Path], loaded: dict[str, Module], above: tuple[str, ...]) -> None:
    if name in loaded or name not in files:
        return
    if name in above:
        raise ConfigError(Problem(None, str(files[name]), f"{' and '.join(above)} need each other"))
    content = _unpacked(files[name])
    for needed in needs(content):
        _load(needed, files, loaded, (*above, name))
    loaded[name] = Module(name, content)


def needs(content: bytes) -> list[str]:
    """The modules a module names in its .modinfo: packages carry no modules.dep, depmod makes it on installing."""
    match = re.search(rb"\0depends=([^\0]*)\0", content)
    names = match[1].decode("ascii", "replace").split(",") if match else []
    return [name.replace("-", "_") for name in names if name]


def _index(folder: Path) -> dict[str, Path]:
    paths = sorted(folder.glob("kernel/**/*.ko*"))
    return {path.name.split(".ko")[0].replace("-", "_"): path for path in paths}


def _unpacked(path: Path) -> bytes:
    """Debian 13 ships its modules as .ko.xz, Ubuntu as .ko.zst; busybox's insmod takes neither."""
    match path.suffix:
        case ".ko":
            return path.read_bytes()
        case ".xz":
            return lzma.decompress(path.read_bytes())
        case ".zst":
            return _zstd(path)
        case suffix:
            raise ConfigError(Problem(None, str(path), f"is compressed as {suffix}, which netprov cannot unpack"))


def _zstd(path: Path) -> bytes:
    program = ["zstd", "-dcq", str(path)]
    try:
        return subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise ConfigError(Problem(None, str(path), "needs the program zstd: apt-get install zstd")) from error
    except subprocess.CalledProcessError as error:
        text = f"cannot be unpacked: {error.stderr.decode(errors='replace').strip()}"
        raise ConfigError(Problem(None, str(path), text)) from error
