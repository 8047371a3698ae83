"""What Cobbler would have filled in and netprov leaves as it stands: its templates' variables, snippets and directives.

Source: Cobbler 3.3's manual, "Automatic installation templating" (Cheetah), and the templates that it brings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netprov.render.quoting import Kind

CALLBACK_SNIPPET = "{% include 'snippets/callback.ks' %}"

VARIABLES: Mapping[str, str] = {
    "tree": "{{ tree }}",
    "hostname": "{{ hostname }}",
    "name": "{{ system_name }}",
    "system_name": "{{ system_name }}",
    "profile_name": "{{ profile_name }}",
    "distro_name": "{{ distro_name }}",
    "server": "{{ server }}",
    "http_server": "{{ http_server }}",
    "http_port": "{{ http_server }}, which has the port",
    "mac_address": "{{ mac_address }}",
    "ip_address": "{{ ip_address }}",
    "gateway": "{{ gateway }}",
    "name_servers": "{{ name_servers | join(',') }}",
    "kernel_options": "{{ kernel_options }}",
    "kernel_options_post": "a key of autoinstall_meta",
    "default_password_crypted": "{{ root_password_crypted }}, a key of autoinstall_meta",
    "install_source_directory": "{{ tree }}",
}
"""Names that a shell's own variables may have too → what a template of netprov's says."""

WORDS: Mapping[str, str] = {
    r"\$\{?SNIPPET\b|\bSNIPPET::[\w-]+": "{% include 'snippets/NAME' %}",
    r"\$\{?getVar\b": "{{ NAME | default('…') }}",
    r"\$\{?yum_repo_stanza\b": "repo lines of your own",
    r"\$\{?yum_config_stanza\b": "files of your own in /etc/yum.repos.d",
    r"\$\{?default_password_crypted\b": VARIABLES["default_password_crypted"],
    r"\$\{?(?:kickstart|autoinstall)_(?:start|done)\b": CALLBACK_SNIPPET,
    r"@@\w+@@": "{{ NAME }}",
    r"^\s*#(?:end )?raw\s*$": "{% raw %} … {% endraw %}",
    r"^\s*#(?:else )?(?:if|elif) (?:not )?\$(?!.*\bthen\b).*$|^\s*#end if\s*$": "{% if … %} … {% endif %}",
    r"^\s*#for \$\w+ in .*$|^\s*#end for\s*$": "{% for … %} … {% endfor %}",
    r"^\s*#set (?:global )?\$\w+.*$": "{% set … %}",
    r"^\s*#(?:include|import|from) .*\b(?:cobbler|Cheetah)\b.*$": "nothing",
}
"""What no shell has, wherever it stands (a regular expression) → the same."""

_WORDS = tuple((re.compile(pattern, re.MULTILINE), instead) for pattern, instead in WORDS.items())
# not behind a word's end: a password's hash is $6$salt$hash, and the salt may be anything
_VARIABLE = re.compile(rf"(?<![\w$./\\])\$\{{?({'|'.join(VARIABLES)})\b(?!\$)")


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What is written at a line (from 1), and what a template of netprov's has in its place."""

    line: int
    written: str
    instead: str


def left_over(kind: Kind, text: str) -> Iterator[LeftOver]:
    """Cobbler's own in `text`, each once, at its first line."""
    seen: set[str] = set()
    for number, line, script in _lines(kind, text):
        if line.lstrip().startswith("#") and _comment(line):
            continue
        for written, instead in _in_line(line, script=script):
            if written not in seen:
                seen.add(written)
                yield LeftOver(number, written, instead)


def _comment(line: str) -> bool:
    """Whether a line that begins with # is one in Cheetah too: a directive has no blank behind its #."""
    return re.match(r"\s*#(?:[\s#!]|$)", line) is not None


def _in_line(line: str, *, script: bool) -> Iterator[tuple[str, str]]:
    for pattern, instead in _WORDS:
        for found in pattern.finditer(line):
            yield found[0].strip(), instead
    for found in () if script or line.lstrip().startswith("#") else _VARIABLE.finditer(line):
        yield found[0] + "}" * found[0].startswith("${"), VARIABLES[found[1]]


def _lines(kind: Kind, text: str) -> Iterator[tuple[int, str, bool]]:
    """Each line, and whether it may be a script's, whose own variables look the same."""
    script, continued = kind not in (Kind.KICKSTART, Kind.PRESEED), False
    for number, line in enumerate(text.split("\n"), 1):
        if kind is Kind.KICKSTART and line.startswith("%"):
            script = line.startswith(("%pre", "%post", "%onerror", "%traceback"))
        elif kind is Kind.PRESEED:
            script = script if continued else re.match(r"\S+\s+\S+_command\s", line) is not None
        continued = line.endswith("\\")
        yield number, line, script
