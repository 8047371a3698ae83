"""What Cobbler would have filled in is named, and what only looks like it is not."""

from __future__ import annotations

import pytest

from netprov.render.leftovers import VARIABLES, left_over
from netprov.render.quoting import Kind

K, S, X = Kind.KICKSTART, Kind.PRESEED, Kind.XML

LEFT = [
    (K, "url --url=$tree\n", [(1, "$tree")]),
    (K, "url --url=${tree}/os\n", [(1, "${tree}")]),
    (K, "rootpw --iscrypted $default_password_crypted\n", [(1, "$default_password_crypted")]),
    (K, "%pre\n$SNIPPET('log_ks_pre')\n$SNIPPET('other')\n%end\n", [(2, "$SNIPPET")]),
    (K, "SNIPPET::network\n", [(1, "SNIPPET::network")]),
    (K, "$yum_repo_stanza\n%post\n$yum_config_stanza\n%end\n", [(1, "$yum_repo_stanza"), (3, "$yum_config_stanza")]),
    (K, "%post\n#raw\necho ${x}\n#end raw\n%end\n", [(2, "#raw"), (4, "#end raw")]),
    (K, "#if $getVar('x','') != ''\n#end if\n", [(1, "$getVar"), (1, "#if $getVar('x','') != ''"), (2, "#end if")]),
    (K, "#set $a = 1\n#for $i in $b\n#end for\n", [(1, "#set $a = 1"), (2, "#for $i in $b"), (3, "#end for")]),
    (K, "%post\n$kickstart_done\n%end\n", [(2, "$kickstart_done")]),
    (K, "url --url=http://@@http_server@@/x\n", [(1, "@@http_server@@")]),
    (S, "d-i netcfg/get_hostname string $hostname\n", [(1, "$hostname")]),
    (X, "<script>$SNIPPET('x')</script>\n", [(1, "$SNIPPET")]),
]
NONE = [
    (K, "%post\ntree=/x; echo $tree $hostname ${name} $server\n%end\n"),
    (K, "rootpw --iscrypted $6$tree$hostname\nrootpw --iscrypted $y$j9T$name$x/$server\n"),
    (K, "repo --name=a --baseurl=http://h/$releasever/$basearch\n"),
    (K, "# $tree and SNIPPET::x of old\n"),
    (K, "%post\n#if $cmd; then echo\n#include <x.h>\n# end if\n#rawhide\n%end\n"),
    (K, "%post\necho SNIPPET $hostnames\n%end\n"),
    (S, "d-i preseed/late_command string in-target \\\n  echo $hostname $tree\n"),
    (X, "<source>echo $tree</source>\n"),
    (K, ""),
]


@pytest.mark.parametrize(("kind", "text", "expected"), LEFT)
def test_cobblers_own_is_named(kind: Kind, text: str, expected: list[tuple[int, str]]) -> None:
    assert [(one.line, one.written) for one in left_over(kind, text)] == expected
    assert all(one.instead for one in left_over(kind, text))


@pytest.mark.parametrize(("kind", "text"), NONE)
def test_a_scripts_own_is_not(kind: Kind, text: str) -> None:
    assert list(left_over(kind, text)) == []


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_named(name: str) -> None:
    assert [one.written for one in left_over(K, f"lang ${name}\n")] == [f"${name}"]
