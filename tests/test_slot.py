from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.slot import Slot, SlotClosed, WhenFull


@given(st.lists(st.integers(), min_size=1))
def test_latest_wins_and_the_rest_is_counted(items: list[int]) -> None:
    slot: Slot[int] = Slot()
    for item in items:
        slot.put(item)
    assert slot.get() == items[-1]
    assert slot.dropped == len(items) - 1


def test_a_waiting_slot_hands_over_every_item_in_order() -> None:
    slot: Slot[int] = Slot(WhenFull.WAIT)
    got: list[int] = []

    def consume() -> None:
        while True:
            try:
                item = slot.get()
            except SlotClosed:
                return
            assert item is not None
            got.append(item)

    consumer = threading.Thread(target=consume)
    consumer.start()
    for item in range(200):
        slot.put(item)
    slot.close()
    consumer.join(5)
    assert got == list(range(200))
    assert slot.dropped == 0


def test_closing_wakes_a_waiting_producer_and_a_waiting_consumer() -> None:
    full: Slot[int] = Slot(WhenFull.WAIT)
    full.put(1)
    empty: Slot[int] = Slot()
    ended: list[str] = []

    def put() -> None:
        with pytest.raises(SlotClosed):
            full.put(2)
        ended.append("producer")

    def get() -> None:
        with pytest.raises(SlotClosed):
            empty.get()
        ended.append("consumer")

    threads = [threading.Thread(target=put), threading.Thread(target=get)]
    for thread in threads:
        thread.start()
    full.close()
    empty.close()
    for thread in threads:
        thread.join(5)
    assert sorted(ended) == ["consumer", "producer"]


def test_the_last_item_survives_closing() -> None:
    slot: Slot[int] = Slot()
    slot.put(7)
    slot.close()
    assert slot.get() == 7
    with pytest.raises(SlotClosed):
        slot.get()
    with pytest.raises(SlotClosed):
        slot.put(8)


def test_looking_into_an_empty_slot_does_not_wait() -> None:
    assert Slot[int]().get(0) is None
