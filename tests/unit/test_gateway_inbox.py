"""What a driver says waits in order, and a flood costs only what can be told again."""

from __future__ import annotations

import asyncio
import threading

from homenode.gateway.inbox import HARD_LIMIT, ROUTINE_LIMIT, Alive, Inbox, Item, Trouble
from homenode.reading import Reading


def an_inbox() -> tuple[Inbox, list[int]]:
    """On a loop that doesn't run: who is woken is seen when it does."""
    loop, woken = asyncio.new_event_loop(), []
    inbox = Inbox(loop, lambda: woken.append(1))
    loop.close()
    return inbox, woken


def power(at: int) -> Reading:
    return Reading("stove.power", float(at), at)


def test_everything_comes_out_in_the_order_it_went_in() -> None:
    async def scene() -> None:
        inbox = Inbox(asyncio.get_running_loop(), lambda: None)
        said: list[Item] = [power(1), Alive("eye", 2), Trouble("zigbee", "gone", (), 3), power(4)]
        for item in said:
            inbox.put(item)
        assert len(inbox) == 4
        assert inbox.take(3) + inbox.take(3) == said
        assert inbox.take(3) == []

    asyncio.run(scene())


def test_many_words_wake_the_loop_once() -> None:
    woken: list[int] = []

    async def scene() -> None:
        inbox = Inbox(asyncio.get_running_loop(), lambda: woken.append(1))
        for at in range(100):
            inbox.put(power(at))

    asyncio.run(scene())
    assert woken == [1]


def test_a_word_from_another_thread_wakes_a_loop_that_sleeps() -> None:
    async def scene() -> None:
        woken = asyncio.Event()
        inbox = Inbox(asyncio.get_running_loop(), woken.set)
        threading.Timer(0.05, inbox.put, (power(1),)).start()
        async with asyncio.timeout(10):
            await woken.wait()
        assert inbox.take(9) == [power(1)]

    asyncio.run(scene())


def test_what_is_left_after_a_batch_wakes_the_loop_again() -> None:
    woken: list[int] = []

    async def scene() -> None:
        inbox = Inbox(asyncio.get_running_loop(), lambda: woken.append(1))
        for at in range(10):
            inbox.put(power(at))
        await asyncio.sleep(0)
        inbox.take(4)
        await asyncio.sleep(0)

    asyncio.run(scene())
    assert woken == [1, 1]


def test_of_a_flood_the_newest_number_and_every_contact_are_kept() -> None:
    async def scene() -> None:
        inbox = Inbox(asyncio.get_running_loop(), lambda: None)
        for at in range(ROUTINE_LIMIT + 500):
            inbox.put(power(at))
        inbox.put(Reading("door.contact", True, 1))
        inbox.put(Reading("door.contact", False, 2))
        assert inbox.dropped == 499
        taken = inbox.take(HARD_LIMIT) + inbox.take(HARD_LIMIT)
        assert [
            item.value for item in taken if isinstance(item, Reading) and item.point == "door.contact"
        ] == [
            True,
            False,
        ]
        assert taken[-1] == power(ROUTINE_LIMIT + 499)

    asyncio.run(scene())


def test_even_contacts_have_an_end() -> None:
    async def scene() -> None:
        inbox = Inbox(asyncio.get_running_loop(), lambda: None)
        for at in range(HARD_LIMIT + 7):
            inbox.put(Reading("door.contact", True, at))
        assert (len(inbox), inbox.dropped) == (HARD_LIMIT, 7)

    asyncio.run(scene())


def test_a_closed_inbox_takes_nothing_more_but_gives_what_it_has() -> None:
    async def scene() -> None:
        inbox = Inbox(asyncio.get_running_loop(), lambda: None)
        inbox.put(power(1))
        inbox.close()
        inbox.put(power(2))
        assert inbox.take(9) == [power(1)]
        assert inbox.dropped == 1

    asyncio.run(scene())


def test_a_word_after_the_end_of_the_node_harms_nobody() -> None:
    inbox, woken = an_inbox()
    inbox.put(power(1))
    assert (inbox.dropped, woken) == (1, [])
