"""The `netprov` command: one module a verb.

It is imported when the verb is used: `netprov --help` imports none.
"""

from __future__ import annotations

import importlib

import click

import netprov

VERBS = {
    "check": ("netprov.cli.check", "What would stop machines from booting."),
    "demo": ("netprov.cli.demo", "A real boot in a private network: QEMU, netprov and the timeline."),
    "domu": ("netprov.cli.domu", "Xen guests: made and installed, and their configurations."),
    "explain": ("netprov.cli.explain", "What a machine would get at every stage, and why."),
    "leases": ("netprov.cli.leases", "The addresses given."),
    "lint": ("netprov.cli.lint", "Every problem of the configuration, the templates and the kickstarts."),
    "loaders": ("netprov.cli.loaders", "Put the boot loaders in place."),
    "render": ("netprov.cli.render", "A script, a kickstart or the kernel arguments as a machine would get them."),
    "schema": ("netprov.cli.schema", "The JSON Schema of the configuration, for editors."),
    "serve": ("netprov.cli.serve", "The server."),
    "simulate": ("netprov.cli.simulate", "A virtual machine that boots over the real network, stage by stage."),
    "status": ("netprov.cli.status", "Where every machine is, since when, and what is wrong with it."),
    "system": ("netprov.cli.system", "Arm an install, boot locally, see where a system stands."),
    "token": ("netprov.cli.token", "A token for the API, or a user of the page."),
    "timeline": ("netprov.cli.timeline", "Every boot of a machine, stage by stage, and why it went wrong."),
}
"""Each verb: the module that holds a click command of the same name, and what `netprov --help` says of it."""


class Verbs(click.Group):
    """The verbs of VERBS, imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = getattr(importlib.import_module(VERBS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name][1]) for name in sorted(VERBS)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, n=1)
            if near:
                raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx) from None
            raise error from None


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(netprov.__version__, prog_name="netprov")
def main() -> None:
    """Takes machines from power-on to an installed system, and can say why one did not get there."""
