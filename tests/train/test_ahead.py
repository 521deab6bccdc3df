"""Batches made by a thread are those made in turn; the thread never outlives the loop."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import torch

from azeotrope.errors import StoreError
from azeotrope.train.ahead import ahead
from azeotrope.train.dataset import Batch


def numbered(number):
    return Batch(torch.full((1, 3, 2, 2), float(number)), torch.tensor([number]))


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_the_same_batches_in_the_same_order(data, rows):
    plain = list(data.epoch(rows.train, 16, seed=1, epoch=2))
    with closing(ahead(data.epoch(rows.train, 16, seed=1, epoch=2))) as batches:
        for ours, expected in zip(batches, plain, strict=True):
            assert torch.equal(ours.images, expected.images)
            assert torch.equal(ours.labels, expected.labels)
            assert torch.equal(ours.places, expected.places)


def test_the_next_batch_is_made_while_the_caller_works():
    made = threading.Event()

    def batches():
        yield numbered(0)
        made.set()
        yield numbered(1)

    with closing(ahead(batches())) as ready:
        next(ready)
        assert made.wait(10)


def test_never_more_than_one_batch_ahead():
    begun = []

    def batches():
        for number in range(5):
            begun.append(number)
            yield numbered(number)

    for number, _ in enumerate(ahead(batches())):
        assert max(begun) <= number + 1


@pytest.mark.parametrize(("threads", "share"), [(1, 1), (2, 1), (8, 2)])
def test_the_thread_takes_a_quarter_of_the_processor_and_leaves_the_step_the_number_it_had(threads, share):
    before = torch.get_num_threads()

    def batches():
        torch.ones(300_000).exp()  # whatever a first computation sets is set now
        yield numbered(torch.get_num_threads())

    try:
        torch.set_num_threads(threads)
        (made,) = ahead(batches())
        with ThreadPoolExecutor(1) as fresh:
            begun_with = fresh.submit(torch.get_num_threads).result()
        assert (made.labels.item(), torch.get_num_threads(), begun_with) == (share, threads, threads)
    finally:
        torch.set_num_threads(before)


def test_what_a_reader_raises_is_raised_in_its_turn():
    def batches():
        yield numbered(0)
        raise StoreError("The cache file is damaged")

    with closing(ahead(batches())) as ready:
        assert next(ready).labels.item() == 0
        with pytest.raises(StoreError, match="The cache file is damaged"):
            next(ready)
    assert not threads()


@pytest.mark.parametrize("stop", ["break", "raise"])
def test_a_loop_that_stops_early_leaves_no_thread(stop):
    def stops():
        with closing(ahead(numbered(number) for number in range(100))) as ready:
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


def test_an_epoch_without_batches_is_empty(data):
    assert list(ahead(data.epoch(np.arange(3), 16, seed=0, epoch=0))) == []


def test_training_makes_its_batches_ahead(training, monkeypatch):
    """And a damaged cache stops it as it did, with no thread left."""
    made = training()
    usual, makers = made.data.pack.store.read, set()

    def watched(rows):
        makers.add(threading.current_thread().name)
        if len(makers) == 2:  # validation follows the first epoch, in the main thread
            raise StoreError("The cache file is damaged")
        return usual(rows)

    monkeypatch.setattr(type(made.data.pack.store), "read", lambda store, rows: watched(rows))
    with pytest.raises(StoreError, match="damaged"):
        made.run()
    assert {name.split("_")[0] for name in makers} == {"batches", "MainThread"}
    assert not threads()
