"""The end of an asyncio worker, asked for before it runs, from another thread, and never."""

from __future__ import annotations

import asyncio
from threading import Thread

from netprov.halt import Halt, within


def test_asked_before_the_loop_runs() -> None:
    async def work() -> bool:
        halt.begin()
        return await halt.within(60)

    halt = Halt()
    halt.ask()
    assert asyncio.run(work())


def test_asked_by_another_thread_while_it_waits() -> None:
    async def work() -> bool:
        halt.begin()
        asker.start()
        return await halt.within(60)

    halt = Halt()
    asker = Thread(target=halt.ask)
    assert asyncio.run(work())
    asker.join()


def test_calls_reach_the_loop_only_while_it_runs() -> None:
    async def work() -> bool:
        halt.begin()
        halt.call(called.set)
        came = await within(called, 60)
        halt.end()
        halt.call(lambda: late.append(1))
        await asyncio.sleep(0)
        return came

    halt, called, late = Halt(), asyncio.Event(), list[int]()
    assert asyncio.run(work())
    assert not late


def test_nobody_asks() -> None:
    async def work() -> bool:
        halt.begin()
        return await halt.within(0)

    halt = Halt()
    assert not asyncio.run(work())
    assert not halt.asked
