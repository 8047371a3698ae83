"""Distribution packages of any architecture, from the machine's own apt sources, without changing the machine."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from netprov.errors import ConfigError, Problem

LISTS_FRESH = 6 * 3600  # seconds; a security archive drops a replaced package within about a day
DOWNLOAD_TIMEOUT = 900
MACHINE_LISTS = Path("/var/lib/apt/lists")

# apt reads /etc/apt as always (sources, proxy, keys), then this. dpkg's state is empty: a foreign architecture is
# then just an architecture. The hooks of the machine's own configuration (docker-clean, packagekit) must not run:
# they would act on the machine's own cache.
APT_CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Acquire::Languages "none";
Acquire::Retries "2";
"""


def default_cache() -> Path:
    """Where packages and their lists are kept: root's is the machine's, anybody else's their own."""
    if os.geteuid() == 0:
        return Path("/var/cache/netprov")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netprov"


@dataclass(frozen=True, slots=True)
class Package:
    """A package whose files are under `tree`: unpacked there, or "/" where the machine has it installed."""

    name: str
    version: str
    arch: str
    tree: Path

    def file(self, paths: Iterable[str]) -> Path:
        """The first of `paths` that is a file of the package. Raises ConfigError when none is."""
        wanted = tuple(paths)
        for path in wanted:
            found = self.tree / path
            # an absolute symlink in an unpacked package points at the machine's own files
            if found.is_file() and (self.tree == Path("/") or found.resolve().is_relative_to(self.tree.resolve())):
                return found
        raise ConfigError(Problem(None, f"package {self.name} {self.version}", f"has no {' or '.join(wanted)}"))


@dataclass(slots=True)
class Archive:
    """The packages the machine's apt sources offer. `progress` is told each download in a sentence."""

    cache: Path
    progress: Callable[[str], None] = lambda text: None
    _native: str = ""
    _updated: set[str] = field(default_factory=set)

    def native(self) -> str:
        """The machine's own Debian architecture ("amd64")."""
        if not self._native:
            self._native = _run(["dpkg", "--print-architecture"]).stdout.strip()
        return self._native

    def installed(self, names: Iterable[str], arch: str) -> Mapping[str, str]:
        """The versions of those of `names` that are installed on this machine."""
        asked = sorted(set(names))
        if not asked or arch not in ("all", self.native()):
            return {}
        answer = _run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Architecture} ${Package} ${Version}\n", *asked])
        rows = (line.split() for line in answer.stdout.splitlines())
        return {row[2]: row[3] for row in rows if len(row) == 4 and row[0] == "installed" and row[1] in (arch, "all")}

    def offered(self, names: Iterable[str], arch: str) -> Mapping[str, Mapping[str, str]]:
        """The control fields (Version, Depends, …) of those of `names` that can be downloaded; nothing is fetched."""
        for conf in self._confs(arch):
            if found := self._show(sorted(set(names)), conf):
                return found
        return {}

    @contextmanager
    def open(self, name: str, arch: str) -> Iterator[Package]:
        """The package with its files: installed, or downloaded and unpacked for as long as the block lasts.

        Raises ConfigError: no such package for this architecture, no network, no apt.
        """
        version = self.installed([name], arch).get(name)
        if version is not None:
            yield Package(name, version, arch, Path("/"))
            return
        with self._locked():
            deb, version = self._download(name, arch)
        with tempfile.TemporaryDirectory(prefix="unpacked-", dir=self.cache) as folder:
            done = _run(["dpkg-deb", "-x", str(deb), folder])
            if done.returncode:
                deb.unlink(missing_ok=True)
                text = f"{deb} cannot be unpacked ({_last(done)}) and was removed: try again"
                raise ConfigError(Problem(None, f"package {name}", text))
            yield Package(name, version, arch, Path(folder))

    def refresh(self, arch: str) -> None:
        """Lists of packages for `arch` no older than six hours. Without a network the old ones go on serving."""
        with self._locked():
            self._update(self._real(arch), force=False)

    def _real(self, arch: str) -> str:
        return self.native() if arch == "all" else arch

    def _confs(self, arch: str) -> list[Path | None]:
        """The apt configurations to ask, that with the newest lists first: None is the machine's own."""
        own = self._folder(self._real(arch)) / "apt.conf"
        confs: list[Path | None] = [own] if own.exists() else []
        if self._real(arch) == self.native():
            confs.insert(len(confs) if _mtime(own.with_name("updated")) > _mtime(MACHINE_LISTS) else 0, None)
        return confs

    def _folder(self, arch: str) -> Path:
        return self.cache / f"apt-{arch}"

    def _show(self, names: list[str], conf: Path | None) -> dict[str, Mapping[str, str]]:
        if not names:
            return {}
        answer = _run(_apt("apt-cache", conf, "show", "--no-all-versions", *names))
        records = (_control(text) for text in answer.stdout.split("\n\n") if text.strip())
        return {record["Package"]: record for record in records if record.get("Package") in names}

    def _download(self, name: str, arch: str) -> tuple[Path, str]:
        real = self._real(arch)
        for conf in self._confs(arch):
            deb, version, failure = self._try(name, conf)
            if deb is not None:
                return deb, version
        self._update(real, force=True)
        deb, version, failure = self._try(name, self._folder(real) / "apt.conf")
        if deb is not None:
            return deb, version
        raise ConfigError(Problem(None, f"package {name} ({real})", _advice(failure, real)))

    def _try(self, name: str, conf: Path | None) -> tuple[Path | None, str, str]:
        """(deb, version, "") or (None, "", what apt said)."""
        debs = self.cache / "debs"
        debs.mkdir(parents=True, exist_ok=True)
        # not asked where the package may lie already: then apt prints nothing
        plan = _run(_apt("apt-get", conf, "download", "--print-uris", "-qq", name), cwd=self.cache)
        match = re.search(r"^'([^']+)' (\S+\.deb) (\d+)", plan.stdout, re.MULTILINE)
        if match is None:
            return None, "", _last(plan) or f"Unable to locate package {name}"
        deb, size = debs / match[2], int(match[3])
        if not (deb.exists() and deb.stat().st_size == size):
            self.progress(f"{match[2]} ({size / 1e6:.1f} MB)")
            done = _run(_apt("apt-get", conf, "download", "-qq", "-o", "APT::Sandbox::User=root", name), cwd=debs)
            if done.returncode or not deb.exists():
                return None, "", _last(done)
        version = _run(["dpkg-deb", "-f", str(deb), "Version"]).stdout.strip()
        return deb, version, ""

    def _update(self, arch: str, force: bool) -> None:
        folder, stamp = self._folder(arch), self._folder(arch) / "updated"
        if arch in self._updated:
            return
        if not force and stamp.exists() and time.time() - stamp.stat().st_mtime < LISTS_FRESH:
            return
        for part in ("state/lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        (folder / "apt.conf").write_text(APT_CONF.format(arch=arch, folder=folder.resolve()), encoding="utf-8")
        self.progress(f"lists of the {arch} packages")
        # one source of many may fail (a mirror in mid-sync, a repository without this architecture): what matters is
        # whether the package is found afterwards
        if _run(_apt("apt-get", folder / "apt.conf", "update", "-qq")).returncode == 0:
            stamp.touch()
        self._updated.add(arch)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One netprov at a time works in the cache."""
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            lock = (self.cache / "lock").open("w")
        except OSError as error:
            text = f"cannot be written ({error.strerror}): name another folder with --cache"
            raise ConfigError(Problem(None, str(self.cache), text)) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _apt(program: str, conf: Path | None, *arguments: str) -> list[str]:
    return [program, *(["-c", str(conf)] if conf else []), *arguments]


def _run(argv: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            cwd=cwd,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except FileNotFoundError as error:
        text = "is not here: boot loaders come from the packages of Debian or Ubuntu, fetched with apt"
        raise ConfigError(Problem(None, argv[0], text)) from error
    except subprocess.TimeoutExpired as error:
        text = f"did not end within {DOWNLOAD_TIMEOUT} s: check that the network reaches the machine's apt sources"
        raise ConfigError(Problem(None, " ".join(argv[:2]), text)) from error


def _control(text: str) -> dict[str, str]:
    """The one-line fields of a control record; continuation lines are descriptions, which nothing here reads."""
    lines = (line.partition(": ") for line in text.splitlines() if not line.startswith(" "))
    return {key: value for key, _, value in lines}


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line[3:] for line in done.stderr.splitlines() if line.startswith("E: ")]
    return (lines or done.stderr.strip().splitlines() or [""])[0]


def _advice(failure: str, arch: str) -> str:
    if "Unable to locate" in failure or "no installation candidate" in failure or "Can't select" in failure:
        return (
            f"the apt sources of this machine do not offer it for {arch} ({failure}): see /etc/apt/sources.list.d; "
            "Ubuntu keeps other architectures than amd64 and i386 at ports.ubuntu.com"
        )
    return f"cannot be downloaded ({failure or 'apt gave no reason'}): check that the network reaches the apt sources"
