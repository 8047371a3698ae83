"""netprov loaders: boot loaders and the probe, from the distribution's packages."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from netprov.bootimages import loaders as media
from netprov.bootimages import probe as probes
from netprov.bootimages.manifest import MACHINES, MANIFEST, LoaderFile, load
from netprov.bootimages.packages import Archive, default_cache
from netprov.bootimages.placed import FileState
from netprov.bootimages.probe import Arch
from netprov.errors import ConfigError


@click.command("loaders")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=Path("boot-images"),
    show_default=True,
    help="The TFTP root; the loaders go to its folder loaders/, a probe to probe/ARCH/.",
)
@click.option(
    "--for",
    "only",
    multiple=True,
    type=click.Choice(MACHINES),
    help="Only the loaders for such machines; may be repeated.",
)
@click.option("--probe", is_flag=True, help="Build netprov-probe instead: a kernel and initramfs to try a boot with.")
@click.option(
    "--arch",
    "archs",
    multiple=True,
    type=click.Choice([str(arch) for arch in Arch]),
    help="The probe's architecture; may be repeated. Default: x86_64.",
)
@click.option("--check", is_flag=True, help="Fetch nothing; say what is missing, modified or outdated (exit status 1).")
@click.option("--manifest", type=click.Path(path_type=Path), default=MANIFEST, help="Another list of loaders.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    default=default_cache,
    envvar="NETPROV_CACHE",
    help="Where packages are kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def loaders(
    root: Path,
    only: Sequence[str],
    probe: bool,
    archs: Sequence[str],
    check: bool,
    manifest: Path,
    cache: Path,
    as_json: bool,
) -> None:
    """Put boot loaders in place, from the packages of Debian or Ubuntu.

    Each file's package, version and sha256 are kept in loaders.lock.json beside it. Files that are in order are left
    alone, so running it again is cheap.
    """
    archive = Archive(cache, progress=lambda text: click.echo(text, err=True))
    try:
        if probe:
            rows = _probe(root, [Arch(arch) for arch in archs] or [Arch.X86_64], archive, check)
        else:
            files = load(manifest)
            if only and not any(kind in file.machines for file in files for kind in only):
                raise click.ClickException(f"the manifest has no loader for {' or '.join(only)}")
            rows = _loaders(root, files, only, archive, check)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        for row in rows:
            columns = (f"{row[key]!s:{width}}" for key, width in COLUMNS.items() if key in row)
            click.echo("  ".join(columns).rstrip())
    if check and any(row["state"] not in (FileState.OK, "optional") for row in rows):
        raise click.exceptions.Exit(1)


# what fits a terminal; the rest is in --json
COLUMNS = {"name": 24, "state": 9, "package": 31, "version": 0}

Row = dict[str, str | int]


def _loaders(
    root: Path, manifest: Sequence[LoaderFile], only: Collection[str], archive: Archive, check: bool
) -> list[Row]:
    if not check:
        media.install(root, manifest, archive, only, archive.progress)
    rows: list[Row] = []
    for row in media.status(root, manifest, archive, only):
        loader, placed = row.loader, row.placed
        missing = row.state is FileState.MISSING and loader.optional
        rows.append(
            {
                "name": loader.name,
                "state": "optional" if missing else row.state,
                "package": f"{loader.package}:{loader.arch}",
                "version": placed.version if placed else row.offered or "",
                "sha256": placed.sha256 if placed else "",
                "secure_boot": loader.secure_boot,
            }
        )
    return rows


def _probe(root: Path, archs: Sequence[Arch], archive: Archive, check: bool) -> list[Row]:
    rows: list[Row] = []
    for arch in archs:
        if not check:
            probes.build(root, arch, archive, archive.progress)
        rows.append({"name": f"probe/{arch}", "state": probes.status(root, arch)})
    return rows
