"""Options: T3 to T6 and T10."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.errors import PeerError
from netprov.tftp.codec import Options, Request
from netprov.tftp.negotiate import REFUSAL, TABLE, Limits, limits_for, negotiate

SIZE = 123_456
LIMITS = Limits(blksize=1468, windowsize=64)


def granted(*options: tuple[str, str], limits: Limits = LIMITS) -> Options:
    return negotiate(Request("f", options=options), SIZE, limits).granted


REFUSED = "refused"
BLKSIZE = [
    ("8", "8"), ("512", "512"), ("1468", "1468"), ("1469", "1468"), ("65464", "1468"), ("65465", "1468"), ("08", "8"),
    ("4294967304", "1468"), ("99999999999999999999", "1468"),
    ("7", REFUSED), ("0", REFUSED), ("00", REFUSED),
    ("-1", None), ("abc", None), ("", None), ("+8", None), (" 8", None), ("8 ", None), ("8.0", None), ("0x200", None),
    ("1e3", None), ("٨", None), ("²", None), ("9" * 21, None), ("9" * 5000, None),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer"), BLKSIZE)
def test_t4_blksize(asked: str, answer: str | None) -> None:
    if answer == REFUSED:
        with pytest.raises(PeerError) as caught:
            granted(("blksize", asked))
        assert (caught.value.code, caught.value.text) == (8, "Failure to negotiate RFC2347 options")
        assert caught.value.text == REFUSAL
    else:
        assert granted(("blksize", asked)) == ((("blksize", answer),) if answer else ())


@pytest.mark.parametrize(
    ("mtu", "version", "setting", "most"),
    [(1500, 4, 65464, 1468), (1500, 6, 65464, 1448), (9000, 4, 65464, 8968), (65536, 4, 65464, 65464),
     (1500, 4, 1024, 1024), (1492, 4, 65464, 1460), (30, 4, 65464, 8), (1500, 4, 4, 8)],
)  # fmt: skip
def test_t4_blksize_fits_the_link(mtu: int, version: int, setting: int, most: int) -> None:
    limits = limits_for(mtu, version, setting, 64)
    assert granted(("blksize", "65464"), limits=limits) == (("blksize", str(most)),)


TSIZE = [("0", str(SIZE)), ("5", str(SIZE)), ("", None), ("-1", None), ("x", None)]
TIMEOUT = [("1", "1"), ("255", "255"), ("0", None), ("256", None), ("-1", None), ("3.0", None), ("", None)]
WINDOWSIZE = [("1", "1"), ("16", "16"), ("64", "64"), ("65", "64"), ("65535", "64"), ("65536", "64"), ("0", REFUSED),
              ("", None), ("-4", None)]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer"), TSIZE)
def test_t5_tsize(asked: str, answer: str | None) -> None:
    assert granted(("tsize", asked)) == ((("tsize", answer),) if answer else ())


@pytest.mark.parametrize(("asked", "answer"), TIMEOUT)
def test_t5_timeout(asked: str, answer: str | None) -> None:
    terms = negotiate(Request("f", options=(("timeout", asked),)), SIZE, LIMITS)
    assert terms.granted == ((("timeout", answer),) if answer else ())
    assert terms.timeout == (int(answer) if answer else None)


@pytest.mark.parametrize(("asked", "answer"), WINDOWSIZE)
def test_t6_windowsize(asked: str, answer: str | None) -> None:
    if answer == REFUSED:
        with pytest.raises(PeerError, match=REFUSAL):
            granted(("windowsize", asked))
    else:
        assert granted(("windowsize", asked)) == ((("windowsize", answer),) if answer else ())


def test_t6_window_fits_the_clients_receive_buffer() -> None:
    limits = limits_for(65536, 4, 65464, 64)
    assert dict(granted(("windowsize", "64"), ("blksize", "65464"), limits=limits))["windowsize"] == "4"
    assert dict(granted(("blksize", "65464"), ("windowsize", "64"), limits=limits))["windowsize"] == "4"


def test_t5_tsize_answers_nothing_else() -> None:
    assert granted(("tsize", "0")) == (("tsize", str(SIZE)),)


def test_t3_unknown_options_are_ignored() -> None:
    assert granted(("utimeout", "1000"), ("x", "y"), ("", "")) == ()


def test_t3_names_whatever_their_case_go_back_as_spelt() -> None:
    assert granted(("BlkSize", "512"), ("TSIZE", "0")) == (("BlkSize", "512"), ("TSIZE", str(SIZE)))


def test_t3_of_a_duplicate_the_first_counts() -> None:
    terms = negotiate(Request("f", options=(("blksize", "1024"), ("BLKSIZE", "8"))), SIZE, LIMITS)
    assert (terms.granted, terms.blksize) == ((("blksize", "1024"),), 1024)


def test_t10_multicast_is_refused_by_omission() -> None:
    assert granted(("multicast", ""), ("tsize", "0")) == (("tsize", str(SIZE)),)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([option.name for option in TABLE]) | st.text(max_size=8),
            st.integers(-10, 2**40).map(str) | st.text(max_size=12),
        ),
        max_size=8,
    ).map(tuple),
    st.integers(0, 2**40),
)
def test_t3_terms_hold_whatever_is_asked(options: Options, size: int) -> None:
    try:
        terms = negotiate(Request("f", options=options), size, LIMITS)
    except PeerError:
        return
    assert 8 <= terms.blksize <= 1468
    assert 1 <= terms.windowsize <= 64
    assert {name.lower() for name, _ in terms.granted} <= {name.lower() for name, _ in options}
