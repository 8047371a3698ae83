"""Names to files: T14 and T15, by openat2 and by the walk."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.boot.reason import Reason
from netprov.files import paths
from netprov.files.paths import PathError, open_beneath

INSIDE, MISSING, OUTSIDE, UNREADABLE = "inside", Reason.TFTP_NOT_FOUND, Reason.TFTP_OUTSIDE, Reason.TFTP_UNREADABLE

NAMES: list[tuple[str, str | Reason]] = [
    ("f", INSIDE), ("/f", INSIDE), ("//f", INSIDE), ("./f", INSIDE), ("d/f", INSIDE), ("d//f", INSIDE),
    ("/d/./f", INSIDE), ("d/../f", INSIDE), ("d/e/../../f", INSIDE), ("ünï/f", INSIDE), ("with space", INSIDE),
    ("%2e%2e", INSIDE), ("C:", INSIDE),
    ("../f", OUTSIDE), ("../root-private/f", OUTSIDE), ("/../f", OUTSIDE), ("d/../../outside", OUTSIDE),
    ("..", OUTSIDE), ("../..", OUTSIDE), ("..\\outside", OUTSIDE), ("d\\..\\..\\outside", OUTSIDE),
    ("../" * 40 + "etc/passwd", OUTSIDE), ("..\\" * 40 + "etc\\passwd", OUTSIDE),
    ("%2e%2e/outside", MISSING), ("..%2foutside", MISSING), ("%2e%2e%2foutside", MISSING),
    ("\udcc0\udcae\udcc0\udcae/outside", MISSING), ("\udcc0\udcaf", MISSING), ("．．/outside", MISSING),
    ("", MISSING), ("/", MISSING), ("///", MISSING), (".", MISSING), ("d", MISSING), ("d/", MISSING), ("f/", MISSING),
    ("f/..", MISSING), ("f/x", MISSING), ("absent", MISSING), ("absent/f", MISSING), ("d/absent", MISSING),
    ("f\0", MISSING), ("\0", MISSING), ("f\0.txt", MISSING), ("\ud800", MISSING),
    ("a" * 255, MISSING), ("a" * 256, MISSING), ("a/" * 2000 + "f", MISSING), ("a" * 4097, MISSING),
    ("./" * 3000 + "f", MISSING),
    ("C:\\windows\\system32", MISSING), ("C:/f", MISSING), ("\\\\server\\share", MISSING), ("~/f", MISSING),
    ("/etc/passwd", MISSING), ("//etc/passwd", MISSING), ("/proc/self/environ", MISSING),
    ("link-in", INSIDE), ("link-dir/f", INSIDE), ("link-up", INSIDE), ("link-absolute-in", INSIDE),
    ("link-link", INSIDE), ("link-out", OUTSIDE), ("link-absolute-out", OUTSIDE), ("link-sibling", OUTSIDE),
    ("link-dir-out/outside", OUTSIDE),
    ("link-proc", OUTSIDE), ("link-tricky", OUTSIDE), ("link-broken", MISSING), ("link-loop", MISSING),
    ("fifo", MISSING), ("socket", MISSING),
    ("F", INSIDE), ("D/F", INSIDE), ("D\\F", INSIDE), ("\\d\\f", INSIDE), ("EFI/BOOT/BOOTX64.EFI", INSIDE),
    ("\\EFI\\BOOT\\bootx64.efi", INSIDE), ("efi\\boot\\BootX64.efi", INSIDE), ("efi/boot/bootia32.efi", MISSING),
    ("ÜNÏ/F", INSIDE), ("D\\..\\F", INSIDE), ("D/../../OUTSIDE", OUTSIDE),
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`inside` is what each file within has; a file outside has anything else."""
    top = tmp_path_factory.mktemp("paths")
    (top / "outside").write_text("secret")
    (top / "root-private").mkdir()
    (top / "root-private" / "f").write_text("secret")
    root = top / "root"
    for name in ("f", "d/f", "d/e/f", "ünï/f", "with space", "%2e%2e", "C:", "EFI/BOOT/BOOTX64.EFI"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(INSIDE)
    links = {
        "link-in": "d/f", "link-dir": "d", "link-up": "d/../f", "link-absolute-in": str(root / "d" / "f"),
        "link-link": "link-in", "link-out": "../outside", "link-absolute-out": str(top / "outside"),
        "link-sibling": str(top / "root-private" / "f"), "link-dir-out": "..", "link-proc": "/proc/self/cmdline",
        "link-tricky": str(root / ".." / "outside"), "link-broken": "nowhere", "link-loop": "link-loop",
    }  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    os.mknod(root / "socket", 0o600 | 0o140000)
    return root


def no_openat2(root_fd: int, relative: str, flags: int) -> int:
    raise OSError(errno.ENOSYS, "no such call")


@pytest.fixture(params=["openat2", "walk"])
def opened(
    request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    if request.param == "walk":
        monkeypatch.setattr(paths, "openat2", no_openat2)
    root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY)

    def read(name: str) -> str:
        fd = open_beneath(root_fd, name)
        try:
            return os.read(fd, 100).decode()
        finally:
            os.close(fd)

    yield read
    os.close(root_fd)


@pytest.mark.parametrize(("name", "outcome"), NAMES)
def test_t14_t15_names(opened: Callable[[str], str], name: str, outcome: str | Reason) -> None:
    before = len(os.listdir("/proc/self/fd"))
    if outcome == INSIDE:
        assert opened(name) == INSIDE
    else:
        with pytest.raises(PathError) as caught:
            opened(name)
        assert caught.value.reason is outcome
        assert caught.value.code is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_t14_unreadable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(root_fd: int, relative: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(paths, "openat2", denied)
    root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY)
    with pytest.raises(PathError) as caught:
        open_beneath(root_fd, "f")
    os.close(root_fd)
    assert caught.value.reason is UNREADABLE


def test_t15_of_several_the_first_in_order(tmp_path: Path) -> None:
    for name in ("readme", "README", "Readme"):
        (tmp_path / name).write_text(name)
    root_fd = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    for asked, found in (("readme", "readme"), ("README", "README"), ("rEADME", "README")):
        fd = open_beneath(root_fd, asked)
        assert os.read(fd, 10).decode() == found
        os.close(fd)
    os.close(root_fd)


PARTS = st.sampled_from(
    ["..", ".", "", "d", "e", "f", "link-dir", "link-out", "link-up", "link-dir-out", "outside", "D", "\\"]
)


@settings(deadline=None)
@given(st.lists(PARTS, max_size=8), st.sampled_from(["/", "\\"]), st.booleans())
def test_t14_nothing_outside_is_ever_read(root: Path, parts: list[str], separator: str, by_walk: bool) -> None:
    root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY)
    refusal = OSError if by_walk else PathError
    try:
        name = separator.join(parts)
        fd = paths.walk(root_fd, name, paths.READ) if by_walk else open_beneath(root_fd, name)
    except refusal:
        pass
    else:
        path = os.readlink(f"/proc/self/fd/{fd}")
        os.close(fd)
        assert Path(path) == root or root in Path(path).parents
    finally:
        os.close(root_fd)
