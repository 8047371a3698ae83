"""Packets: T1, T3, and that nothing but PeerError leaves the decoder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.tftp.codec import Ack, Data, Error, Mode, Oack, Packet, Request, decode, encode, error

DECODED = [
    (b"\0\1pxelinux.0\0octet\0", Request("pxelinux.0")),
    (b"\0\1f\0OcTeT\0", Request("f")),
    (b"\0\1f\0NETASCII\0", Request("f", Mode.NETASCII)),
    (b"\0\2f\0octet\0", Request("f", write=True)),
    (b"\0\1f\0octet\0BLKSIZE\x001468\0tsize\x000\0", Request("f", options=(("BLKSIZE", "1468"), ("tsize", "0")))),
    (b"\0\1f\0octet\0blksize\0\0", Request("f", options=(("blksize", ""),))),
    (b"\0\1f\0octet\0tsize\x000\0blksize\x0014", Request("f", options=(("tsize", "0"),))),
    (b"\0\1f\0octet\0tsize\x000\0blksize", Request("f", options=(("tsize", "0"),))),
    (b"\0\1f\0octet\0blksize\x00512\0blksize\x008\0", Request("f", options=(("blksize", "512"), ("blksize", "8")))),
    (b"\0\1f\0octet\0" + b"\0" * 20, Request("f")),
    (b"\0\1" + b"d/" * 240 + b"f\0octet\0", Request("d/" * 240 + "f")),
    (b"\0\1\xc0\xae\0octet\0", Request("\udcc0\udcae")),
    (b"\0\3\0\1abc", Data(1, b"abc")),
    (b"\0\3\xff\xff", Data(65535, b"")),
    (b"\0\4\0\0", Ack(0)),
    (b"\0\4\0\7padding", Ack(7)),
    (b"\0\5\0\0\0", Error(0, "")),
    (b"\0\5\0\x08User aborted", Error(8, "User aborted")),
    (b"\0\6tsize\x0012\0", Oack((("tsize", "12"),))),
]


@pytest.mark.parametrize(("datagram", "packet"), DECODED)
def test_t3_decoded(datagram: bytes, packet: Packet) -> None:
    assert decode(datagram) == packet


MALFORMED = [
    b"", b"\0", b"\0\0", b"\0\7\0\0", b"\1\0a\0octet\0", b"\0\1", b"\0\1\0", b"\0\1\0octet\0", b"\0\1name",
    b"\0\1name\0", b"\0\1name\0octet", b"\0\1name\0\0", b"\0\1name\0mail\0", b"\0\1name\0octets\0", b"\0\1name\0\xff\0",
    b"\0\3", b"\0\3\0", b"\0\4", b"\0\4\0", b"\0\5", b"\0\5\0", b"GET / HTTP/1.1\r\n",
]  # fmt: skip


@pytest.mark.parametrize("datagram", MALFORMED)
def test_t3_malformed_is_the_peers_error(datagram: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        decode(datagram)
    assert caught.value.code == 4


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_t3_only_peer_error_leaves_the_decoder(datagram: bytes) -> None:
    try:
        packet = decode(datagram)
    except PeerError:
        return
    again = decode(encode(packet))
    assert again == packet or isinstance(packet, Error)  # an ERROR's text is made printable


@settings(deadline=None)
@given(st.sampled_from([b"\0\1", b"\0\2", b"\0\6"]), st.lists(st.binary(max_size=20), max_size=8), st.booleans())
def test_t3_requests_of_any_fields(op: bytes, fields: list[bytes], ended: bool) -> None:
    datagram = op + b"\0".join(fields) + (b"\0" if ended else b"")
    try:
        packet = decode(datagram)
    except PeerError:
        return
    assert decode(encode(packet)) == packet


WORD = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=12)
PAIRS = st.lists(st.tuples(WORD.filter(bool), WORD), max_size=5).map(tuple)
NAME = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), min_size=1, max_size=40)
PACKETS = st.one_of(
    st.builds(Request, NAME, st.sampled_from(Mode), PAIRS, st.booleans()),
    st.builds(Data, st.integers(0, 65535), st.binary(max_size=64)),
    st.builds(Ack, st.integers(0, 65535)),
    st.builds(Oack, PAIRS),
    st.builds(Error, st.integers(0, 8), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)),
)


@settings(deadline=None)
@given(PACKETS)
def test_t3_what_is_encoded_is_decoded(packet: Packet) -> None:
    assert decode(encode(packet)) == packet


@pytest.mark.parametrize("text", ["", "x" * 5000, "a\0b", "ümläut", "\udcff", "line\nline"])
def test_t1_error_text_fits_and_ends(text: str) -> None:
    packet = error(0, text)
    assert len(packet) <= 512
    assert packet.index(b"\0", 4) == len(packet) - 1
