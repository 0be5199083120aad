"""One thread at a time loads a product, whatever happened to the product before."""

import threading
import time
from contextlib import suppress

import pytest

from eligibility.errors import UnknownProduct
from eligibility.service.service import Service
from tests.helpers.catalog.products import product, put, query

PRODUCT_ID = "LATE"


class SlowOwner:
    """Stands for a store that answers when it is let; counts how many ask at once."""

    def __init__(self, service: Service) -> None:
        self._owner = service.evaluator._catalog.owner
        self._lock = threading.Lock()
        self._asking = self.most_at_once = 0
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Semaphore(0)

    def __call__(self, product_id: str) -> str | None:
        with self._lock:
            self._asking += 1
            self.most_at_once = max(self.most_at_once, self._asking)
        self.asked.release()
        self.may_answer.acquire(timeout=10)
        with self._lock:
            self._asking -= 1
        return self._owner(product_id)


def test_no_two_threads_load_a_product_that_was_unknown_before(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SlowOwner(service)
    monkeypatch.setattr(service.evaluator._catalog, "owner", store)

    def load() -> None:
        with suppress(UnknownProduct):
            service.evaluator.decide(query(PRODUCT_ID))

    threads = [threading.Thread(target=load) for _ in range(3)]
    threads[0].start()
    assert store.asked.acquire(timeout=10)
    threads[1].start()
    time.sleep(0.2)  # until it waits for the first, which finds no product
    store.may_answer.release()
    assert store.asked.acquire(timeout=10)  # the second one's turn
    threads[2].start()
    assert not store.asked.acquire(timeout=0.3)  # which the third has to wait for
    for _ in threads:
        store.may_answer.release()
    for thread in threads:
        thread.join(10)
    assert store.most_at_once == 1
    monkeypatch.undo()
    put(service, PRODUCT_ID, product())
    assert service.evaluator.decide(query(PRODUCT_ID)).product_id == PRODUCT_ID
