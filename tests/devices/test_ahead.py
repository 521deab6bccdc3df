"""Batches made by a thread are those made in turn; the thread never outlives the loop."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import torch

from azeotrope.data.augmentation.views import PLAIN, draw
from azeotrope.data.host_batch import Inputs
from azeotrope.devices.ahead import ahead, in_turn
from azeotrope.devices.device import Device
from azeotrope.errors import StoreError
from azeotrope.recipe import ViewPolicy

CPU = Device("cpu", "fp32")


def numbered(number):
    """A host's batch with a label of its own."""
    drawn = draw(ViewPolicy(), np.zeros(1, np.uint64), PLAIN)
    return Inputs(np.zeros((1, 2, 2, 3), np.uint8), drawn, np.array([number]))


def labels(hosts):
    return ahead(hosts, CPU, lambda inputs: inputs.labels)


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_the_same_batches_in_the_same_order():
    plain = [label.item() for label in in_turn(map(numbered, range(20)), CPU, lambda inputs: inputs.labels)]
    with closing(labels(map(numbered, range(20)))) as batches:
        assert [label.item() for label in batches] == plain == list(range(20))


def test_the_next_batch_is_made_while_the_caller_works():
    made = threading.Event()

    def batches():
        yield numbered(0)
        made.set()
        yield numbered(1)

    with closing(labels(batches())) as ready:
        next(ready)
        assert made.wait(10)


def test_never_more_than_one_batch_ahead():
    begun = []

    def batches():
        for number in range(5):
            begun.append(number)
            yield numbered(number)

    for number, _ in enumerate(labels(batches())):
        assert max(begun) <= number + 1


@pytest.mark.parametrize(("threads", "share"), [(1, 1), (2, 1), (8, 2)])
def test_the_thread_takes_a_quarter_of_the_processor_and_leaves_the_step_the_number_it_had(threads, share):
    before = torch.get_num_threads()

    def batches():
        torch.ones(300_000).exp()  # whatever a first computation sets is set now
        yield numbered(torch.get_num_threads())

    try:
        torch.set_num_threads(threads)
        (made,) = labels(batches())
        with ThreadPoolExecutor(1) as fresh:
            begun_with = fresh.submit(torch.get_num_threads).result()
        assert (made.item(), torch.get_num_threads(), begun_with) == (share, threads, threads)
    finally:
        torch.set_num_threads(before)


def test_what_a_reader_raises_is_raised_in_its_turn():
    def batches():
        yield numbered(0)
        raise StoreError("The cache file is damaged")

    with closing(labels(batches())) as ready:
        assert next(ready).item() == 0
        with pytest.raises(StoreError, match="The cache file is damaged"):
            next(ready)
    assert not threads()


@pytest.mark.parametrize("stop", ["break", "raise"])
def test_a_loop_that_stops_early_leaves_no_thread(stop):
    def stops():
        with closing(labels(numbered(number) for number in range(100))) as ready:
            for _ in ready:
                assert threads()
                if stop == "break":
                    return
                raise KeyboardInterrupt

    if stop == "break":
        stops()
    else:
        with pytest.raises(KeyboardInterrupt):
            stops()
    assert not threads()


def test_no_batches_are_no_batches():
    assert list(labels(iter(()))) == []
