"""Independent readers of loaders' scripts: what a loader would make of the text."""

from __future__ import annotations

import re
import shutil
import subprocess

BLANKS = " \t\r\v\f"
"""What loaders take for blank: they read octets, and know no others of Unicode's."""


def pxelinux_directives(text: str) -> list[tuple[str, str]]:
    """Each line's keyword and the rest of it; comments and blank lines left out."""
    lines = (line.strip(BLANKS) for line in text.split("\n"))
    parts = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(keyword, rest) for keyword, _, rest in parts]


def grub_commands(text: str) -> list[list[str]]:
    """Each command's words. GRUB's quoting is a shell's; the script must also pass GRUB's own checker."""
    checker = shutil.which("grub-script-check")
    assert checker is not None, "the package grub-common has grub-script-check"
    checked = subprocess.run([checker], input=text, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr + text
    commands: list[list[str]] = [[]]
    for word, quoted in _grub_words(text):
        if not quoted and word in (";", "{", "}", "\n"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def _grub_words(text: str) -> list[tuple[str, bool]]:
    """The words and separators of a script, and whether any of a word was quoted: grub-core/script/yylex.l in short."""
    words, word, quoted, inside, position = [], "", False, "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if inside == "'" or (inside and char not in "\\" + inside):
            inside, word = ("", word) if char == inside else (inside, word + char)
        elif inside and char == inside:
            inside = ""
        elif char == "\\":
            word, quoted, position = word + text[position : position + 1], True, position + 1
        elif char in "'\"":
            inside, quoted = char, True
        elif char == "#" and not word:
            position = text.find("\n", position)
        elif char in " \t\n;{}|&<>":
            if word or quoted:
                words.append((word, quoted))
            if char not in " \t":
                words.append((char, False))
            word, quoted = "", False
        else:
            word += char
    assert not inside, text
    return words


def ipxe_commands(text: str) -> list[list[str]]:
    """Each command's words, settings not yet expanded: iPXE splits at spaces, at ||, && and #, and nothing else."""
    assert text.startswith("#!ipxe\n")
    commands = []
    for line in text.replace("\\\n", "").split("\n"):
        words: list[str] = []
        for word in re.split(f"[{BLANKS}]+", line.strip(BLANKS)):
            if word.startswith("#"):
                break
            if not word:
                continue
            if word in ("||", "&&"):
                commands.append(words)
                words = []
            else:
                words.append(word)
        commands.append(words)
    return [command for command in commands if command]


def kernel_arguments(line: str) -> list[tuple[str, str | None]]:
    """A command line as Linux's next_arg() reads it: double quotes join, and are taken off."""
    arguments, word, quoted = [], "", False
    for char in line + " ":
        if char == '"':
            quoted = not quoted
        elif char == " " and not quoted:
            if word:
                key, equals, value = word.partition("=")
                arguments.append((key, value if equals else None))
            word = ""
        else:
            word += char
    assert not quoted, line
    return arguments
