"""The two error families of netprov; nothing else leaves a core."""

from __future__ import annotations

from dataclasses import dataclass


class PeerError(Exception):
    """The other side misbehaved.

    `code` is the protocol's own error number to answer with (a TFTP error code, an HTTP status), or None where the
    protocol's answer is silence (DHCP).
    """

    def __init__(self, text: str, code: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the operator wrote a value: a file and a line (counted from 1; 0: the whole file)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what the operator wrote, and what to write instead."""

    origin: Origin | None
    where: str  # "system lady, field interfaces.eth0.mac"; "" where the file as a whole is meant
    text: str  # what is wrong, and what to do

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.origin or ""), self.where, self.text) if part)


class ConfigError(Exception):
    """What the operator wrote cannot be used. It carries every problem found, not only the first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
