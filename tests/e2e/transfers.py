"""Many transfers at once, slow enough to see something happen in between: `python transfers.py`.

Standard input: a JSON list of URLs (tftp:// or http://). Standard output: a line "under way" once every transfer has
its first octets, then a JSON list in the URLs' order: the SHA-256 of what came, or "error: …".
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from netprov.tftp.client import Wish
from netprov.tftp.fetch import download

PAUSE = 0.002  # seconds after each piece
PIECE = 16384  # octets of HTTP; a block of TFTP is 1428
STACK = 256 * 1024


def by_tftp(url: str, write: Callable[[bytes], object]) -> None:
    parts = urlsplit(url)
    download(str(parts.hostname), Wish(parts.path, blksize=1428, windowsize=1), write)


def by_http(url: str, write: Callable[[bytes], object]) -> None:
    with urllib.request.urlopen(url, timeout=60) as answer:
        left = int(answer.headers["Content-Length"])
        while piece := answer.read(PIECE):
            left -= len(piece)
            write(piece)
            time.sleep(PAUSE * 10)
        if left:
            raise EOFError(f"{left} octets are missing")


def main() -> None:
    urls: list[str] = json.load(sys.stdin)
    results = [""] * len(urls)
    begun = threading.Barrier(len(urls) + 1)

    def fetch(number: int, url: str) -> None:
        digest, first = hashlib.sha256(), True

        def write(data: bytes) -> None:
            nonlocal first
            digest.update(data)
            if first:
                first = False
                begun.wait(60)
            time.sleep(PAUSE)

        try:
            (by_tftp if url.startswith("tftp:") else by_http)(url, write)
            results[number] = digest.hexdigest()
        except Exception as problem:  # whatever ends a transfer is the result
            results[number] = f"error: {problem!r}"
            if first:
                begun.abort()

    threading.stack_size(STACK)
    threads = [threading.Thread(target=fetch, args=item) for item in enumerate(urls)]
    for thread in threads:
        thread.start()
    begun.wait(60)
    print("under way", flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps(results), flush=True)


if __name__ == "__main__":
    main()
