"""A sum is taken once for each version of a file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from netprov.files.root import Root
from netprov.files.sums import Sum, Sums


def test_sums(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"kernel")
    root, sums = Root(tmp_path), Sums()
    assert sums.of(root, "v") == Sum(6, hashlib.sha256(b"kernel").hexdigest())
    assert sums.of(root, "v") is sums.of(root, "v")
    (tmp_path / "new").write_bytes(b"KERNEL")
    os.rename(tmp_path / "new", tmp_path / "v")
    assert sums.of(root, "v") == Sum(6, hashlib.sha256(b"KERNEL").hexdigest())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "v").write_bytes(b"Kernel")
    assert sums.of(Root(tmp_path / "other"), "v") == Sum(6, hashlib.sha256(b"Kernel").hexdigest())
    assert sums.of(root, "gone") is None
    assert sums.of(root, "../v") is None
    assert sums.of(root, ".") is None
