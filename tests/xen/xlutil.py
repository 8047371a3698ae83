"""xl's own reader, libxlutil, where Debian's libxenmisc is installed: what it says of a text is the truth."""

from __future__ import annotations

import ctypes
import ctypes.util
import glob
from typing import Any


def load() -> ctypes.CDLL | None:
    found = sorted(glob.glob("/usr/lib/*/libxlutil.so.4.*"))
    if not found:
        return None
    library = ctypes.CDLL(found[0])
    library.xlu_cfg_init.restype = ctypes.c_void_p
    library.xlu_cfg_init.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.xlu_cfg_destroy.argtypes = [ctypes.c_void_p]
    library.xlu_cfg_readdata.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.xlu_cfg_get_string.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int,
    ]  # fmt: skip
    library.xlu_cfg_get_list.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int), ctypes.c_int,
    ]  # fmt: skip
    library.xlu_cfg_get_listitem.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.xlu_cfg_get_listitem.restype = ctypes.c_char_p
    return library


class XlUtil:
    """Ask whether xl takes a text, and what it makes of the name `a`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        libc = ctypes.CDLL(None)
        libc.fopen.restype = ctypes.c_void_p
        libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        self._report = libc.fopen(b"/dev/null", b"w")

    def read(self, text: bytes, name: bytes = b"a") -> Any:
        """None where it refuses the text; else the value of `name`: octets, a list of octets, or ... for none."""
        handle = self._library.xlu_cfg_init(self._report, b"test")
        try:
            if self._library.xlu_cfg_readdata(handle, text, len(text)):
                return None
            return self._value(handle, name)
        finally:
            self._library.xlu_cfg_destroy(handle)

    def _value(self, handle: int, name: bytes) -> Any:
        value = ctypes.c_char_p()
        if self._library.xlu_cfg_get_string(handle, name, ctypes.byref(value), 1) == 0:
            return value.value
        entries, count = ctypes.c_void_p(), ctypes.c_int()
        if self._library.xlu_cfg_get_list(handle, name, ctypes.byref(entries), ctypes.byref(count), 1) == 0:
            return [self._library.xlu_cfg_get_listitem(entries, n) for n in range(count.value)]
        return ...
