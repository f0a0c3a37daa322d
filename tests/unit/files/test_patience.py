"""Stores that are away for a moment."""

import pytest

from chat4all_core.app.patience import patiently
from chat4all_core.domain.errors import Reason, UnavailableError


class Store:
    """Fails for these reasons, one after the other; then it does its work."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = list(reasons)

    async def put(self) -> str:
        if self.reasons:
            raise UnavailableError(self.reasons.pop(0), "not now", 1.0)
        return "done"


async def test_a_store_that_comes_back_gets_the_same_call_again() -> None:
    """Whoever waits for it learns nothing of its absence."""
    assert await patiently(Store(Reason.UNAVAILABLE, Reason.UNAVAILABLE).put, seconds=60) == "done"


@pytest.mark.parametrize(("reason", "seconds"), [(Reason.UNAVAILABLE, 0), (Reason.STORAGE_FULL, 60)])
async def test_patience_ends(reason: Reason, seconds: float) -> None:
    """A store that is away for longer is told of, and one that is full at once."""
    store = Store(reason, Reason.UNAVAILABLE)
    with pytest.raises(UnavailableError) as caught:
        await patiently(store.put, seconds)
    assert caught.value.reason is reason
    assert store.reasons == [Reason.UNAVAILABLE]
