"""The pages of docs/reference/, written from the tables that the program itself runs on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping

import click

from netprov.boot.reason import Reason
from netprov.inventory.reference import reference as configuration


def cli() -> str:
    """Every command: its usage, what it does, its options. Not click's own layout, which changes with its releases."""
    return "\n".join(_cli())


def reasons() -> str:
    """Every reason: what it means, and what to do."""
    return "\n".join(_reasons())


def events() -> str:
    """Every kind of event, and every fact of one."""
    from netprov.journal.reference import reference

    return reference()


def verdicts() -> str:
    """Every verdict: its signature, what it says, what to change."""
    from netprov.journal.verdicts import reference

    return reference()


def pxeboot() -> str:
    """The domU bootloader: its options, and what it says with what to do about it."""
    return "\n".join(_pxeboot())


def checks() -> str:
    """What `netprov check` can find."""
    from netprov.check.reference import reference

    return reference()


def templates() -> str:
    """What is a template of an installer's answers, and every variable that one may use."""
    from netprov.render.variables import reference

    return reference()


PAGES: Mapping[str, Callable[[], str]] = {
    "configuration": configuration,
    "cli": cli,
    "reasons": reasons,
    "events": events,
    "verdicts": verdicts,
    "checks": checks,
    "pxeboot": pxeboot,
    "templates": templates,
}
"""docs/reference/NAME.md, each by its name."""


def _cli() -> Iterator[str]:
    from netprov.cli import main

    yield "# Commands\n"
    yield "<!-- Written by `netprov schema --page cli` from the commands themselves. -->\n"
    yield "`-c` names the configuration, and so does the variable `NETPROV_CONFIG`; without them it is `netprov.yaml`"
    yield "here, then `/etc/netprov/netprov.yaml`. Commands that look need no running server, and change nothing.\n"
    for command, words in _commands(main, ("netprov",)):
        yield f"{'#' * max(2, len(words))} {' '.join(words)}\n"
        context = click.Context(command, info_name=" ".join(words))
        yield f"    {' '.join([*words, *command.collect_usage_pieces(context)])}\n"
        yield f"{inspect.cleandoc(command.help or '')}\n"
        options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
        if options:
            yield "| option | |\n|---|---|"
            yield from (f"| `{_spelled(option)}` | {_cell(option)} |" for option in options)
            yield ""


def _spelled(option: click.Option) -> str:
    value = "" if option.is_flag else f" {_value(option)}"
    return ", ".join((*option.opts, *option.secondary_opts)) + value


def _value(option: click.Option) -> str:
    kind = option.type
    if isinstance(kind, click.Choice):
        return "\\|".join(map(str, kind.choices))
    if isinstance(kind, click.types.IntParamType):
        return "N"
    return "PATH" if isinstance(kind, click.Path) else "VALUE"


def _cell(option: click.Option) -> str:
    default = f" Default: {option.default}." if option.show_default else ""
    return f"{option.help or ''}{default}"


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[click.Command, tuple[str, ...]]]:
    yield command, words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _commands(inner, (*words, name))


def _reasons() -> Iterator[str]:
    yield "# Reasons\n"
    yield "<!-- Written by `netprov schema --page reasons` from netprov/boot/reason.py. -->\n"
    yield "Every step of a decision, every packet dropped and every request refused has one of these. The timeline, the"
    yield "journal (`netprov timeline --json`) and `netprov explain --json` name them by these labels.\n"
    for reason in Reason:
        yield f"## {reason.label}\n"
        yield f"{reason.meaning[0].upper()}{reason.meaning[1:]}.\n"
        if reason.advice:
            yield f"What to do: {reason.advice}.\n"


def _pxeboot() -> Iterator[str]:
    from netprov.scripts.messages import ScriptMessage
    from netprov.xen.bootloader.contract import OPTIONS
    from netprov.xen.bootloader.messages import Message

    yield "# netprov-pxeboot\n"
    yield "<!-- Written by `netprov schema --page pxeboot` from contract.py and the tables of messages. -->\n"
    yield "What xl, libvirt and xend-era configurations run in dom0 to boot a domU from the network (`bootloader =`);"
    yield "also installed as `pypxeboot`. [Boot a domU from the network](../howto/boot-a-domu.md) shows how.\n"
    yield "    netprov-pxeboot [OPTION]... mac=ADDRESS|VIF [DISK]\n"
    yield "The MAC address may be a whole entry of `vif`, such as `mac=00:16:3e:11:11:11,bridge=xenbr0`."
    yield "It ends with 0, or with 1 and one line on standard error that says what went wrong.\n"
    yield "## Options\n"
    yield "| option | |\n|---|---|"
    for option in OPTIONS:
        value = "=VALUE" if option.value else ""
        help_ = option.help or f"Accepted and ignored: {option.note}."
        yield f"| `--{option.name}{value}` | {help_} |"
    yield "\nAn unknown option is ignored, with a warning: a newer xl may have it.\n"
    yield "## Messages\n"
    yield "Values are in braces. A message about a kernel goes on from `the kernel FILE …`.\n"
    yield "| message | what to do |\n|---|---|"
    for message in (*Message, *ScriptMessage):
        yield f"| `{message.text}` | {message.advice} |"
    yield ""
