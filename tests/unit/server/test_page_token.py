"""Pages and their tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat4all_core.domain.errors import InvalidArgumentError, Reason
from chat4all_server.page_token import PageTokens, page_size

TOKENS = PageTokens(b"k" * 32)


@pytest.mark.parametrize(("requested", "used"), [(0, 50), (1, 1), (50, 50), (100, 100), (101, 100), (2**31 - 1, 100)])
def test_page_size(requested: int, used: int) -> None:
    """Left out it is 50, and more than 100 means 100."""
    assert page_size(requested) == used


def test_negative_page_size() -> None:
    """A negative size is refused."""
    with pytest.raises(InvalidArgumentError, match="page_size"):
        page_size(-1)


@given(st.integers(0, 2**63 - 1), st.lists(st.text()))
def test_token_gives_its_number_back(number: int, scope: list[str]) -> None:
    """A token read with the scope it was issued for gives its number."""
    assert TOKENS.read(TOKENS.issue(number, *scope), *scope) == number


@given(st.text(), st.lists(st.text()))
def test_token_gives_its_text_back(text: str, scope: list[str]) -> None:
    """So does one for a text, and in no other scope."""
    token = TOKENS.issue_text(text, *scope)
    assert TOKENS.read_text(token, *scope) == text
    with pytest.raises(InvalidArgumentError):
        TOKENS.read_text(token, *scope, "more")


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_token_of_another_scope(issued: list[str], read: list[str]) -> None:
    """A token opens no other list than its own, however the names of the two are cut."""
    token = TOKENS.issue(7, *issued)
    if issued == read:
        assert TOKENS.read(token, *read) == 7
        return
    with pytest.raises(InvalidArgumentError) as refused:
        TOKENS.read(token, *read)
    assert refused.value.reason is Reason.PAGE_TOKEN_INVALID


@given(st.integers(0, 31), st.sampled_from("ABCXYZabcxyz019-_"))
def test_changed_token(place: int, letter: str) -> None:
    """A token in which one letter was changed is refused."""
    token = TOKENS.issue(7, "list")
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(InvalidArgumentError):
            TOKENS.read(changed, "list")


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever text comes as a token is refused and nothing worse."""
    with pytest.raises(InvalidArgumentError):
        TOKENS.read(text, "list")


def test_token_of_another_key() -> None:
    """A token that somebody else made is refused."""
    with pytest.raises(InvalidArgumentError):
        TOKENS.read(PageTokens(b"x" * 32).issue(7, "list"), "list")
