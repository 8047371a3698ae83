"""iPXE of an age that was never tried: what `netprov check` says of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from netprov.check.ipxe import KNOWN, NEWEST, OLDEST, day_of, version_of

from .check_world import run

VERSIONS = [
    ("1.0.0+git-20190125.36a4c85-5.1", date(2019, 1, 25)),  # Debian 11 and 12
    ("1.21.1+git-20220113.fbbdc3926-0ubuntu2", date(2022, 1, 13)),  # Ubuntu 22.04 and 24.04
    ("1.21.1+git20250501.dad20602+dfsg-1", date(2025, 5, 1)),  # Debian 13
    ("1.21.1", date(2020, 12, 31)),
    ("2.0.0-1", date(2026, 3, 6)),
    ("1.21.1+ (g182ee)", None),  # a build of one's own, somewhere after the release
    ("2.7.0", None),
    ("1.0.0+git-20199999.1", None),
    ("", None),
]


@pytest.mark.parametrize(("version", "day"), VERSIONS)
def test_a_version_tells_its_day(version: str, day: date | None) -> None:
    assert day_of(version) == day


def ipxe(version: str) -> bytes:
    """An EFI program as far as it is looked at: build name, product name, version."""
    return b"MZ" + bytes(99) + b"iPXE> \0ipxe.efi\0iPXE\0\0\0" + version.encode() + b"\0" + bytes(99)


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (ipxe("1.21.1+ (g182ee)"), "1.21.1+ (g182ee)"),
        (ipxe("of no number"), ""),
        (ipxe("1.2.3")[:-100], ""),  # cut short within it
        (b"\0iPXE\0\xff1.0.0\0", ""),
        (b"", ""),
    ],
)
def test_a_program_tells_its_version(tmp_path: Path, data: bytes, version: str) -> None:
    (tmp_path / "x.efi").write_bytes(data)
    assert version_of(tmp_path / "x.efi") == version


def test_no_program(tmp_path: Path) -> None:
    assert version_of(tmp_path) == ""


def noted(site: Path) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(run(site, "--json", "--only", "loaders").stdout)["findings"]
    return [finding for finding in findings if finding["id"].startswith("ipxe-")]


@pytest.mark.parametrize("day", [OLDEST, date(2022, 1, 13), NEWEST])
def test_of_an_age_that_was_tried(site: Path, day: date) -> None:
    (site / "images" / "loaders" / "ipxe.efi").write_bytes(ipxe(f"1.21.1+git{day:%Y%m%d}.1"))
    assert noted(site) == []


AGES = [
    ("1.0.0+git-20120101.1", "an older one", ""),
    ("1.0.0+git-20150424.a25a16d-1", "an older one", KNOWN[0].text),
    ("2.0.0", "a newer one", KNOWN[-1].text),
    ("1.21.1+ (g182ee)", "does not tell its age", ""),
]


@pytest.mark.parametrize(("version", "compared", "known"), AGES)
def test_of_another_age(site: Path, version: str, compared: str, known: str) -> None:
    (site / "images" / "loaders" / "ipxe.efi").write_bytes(ipxe(version))
    (row,) = noted(site)
    assert (row["id"], row["severity"]) == ("ipxe-untried", "note")
    assert f"ipxe.efi is iPXE {version}, " in row["text"]
    assert compared in row["text"]
    assert (known in row["advice"]) if known else ("Known of its age" not in row["advice"])


def test_what_is_known_is_in_order() -> None:
    assert [one.since for one in KNOWN] == sorted({one.since for one in KNOWN})
