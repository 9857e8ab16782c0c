"""Tokens: only what a secret of the relay has signed is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_relay import tokens
from aimem_relay.access import Denied, Grant, TokenGate
from aimem_relay.config import Config
from aimem_relay.errors import RelayError
from crdt.wire.messages import CloseCode, Role
from tests.relay.pods import SECRET, WORKSPACE

OLD = "an older secret, still good for a while"

TOKENS = st.builds(
    tokens.Token,
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.sampled_from(Role),
    st.integers(0, 1 << 50),
    st.text(max_size=64),
    st.text(max_size=256).filter(lambda text: text.isprintable()),
)


@given(TOKENS)
def test_what_was_signed_is_read_back(token: tokens.Token) -> None:
    assert tokens.read(tokens.issue(token, OLD), [SECRET, OLD]) == token


@given(TOKENS, st.data())
def test_a_token_that_was_changed_anywhere_is_none(
    token: tokens.Token, data: st.DataObject
) -> None:
    text = tokens.issue(token, SECRET)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("aA0_-."))
    changed = text[:at] + letter + text[at + 1 :]
    # The last letter of base64 has bits that mean nothing.
    if changed != text and at not in (len(text) - 1, text.rindex(".") - 1):
        with pytest.raises(tokens.BadToken):
            tokens.read(changed, [SECRET])


@given(st.one_of(st.text(), st.binary().map(lambda data: f"aimem1.{data.hex()}.{data.hex()}")))
def test_nonsense_is_no_token(text: str) -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read(text, [SECRET])


async def test_the_gate_tells_why_somebody_is_not_let_in() -> None:
    now = 1_000
    gate = TokenGate([SECRET], {"gone"}, lambda: now)

    async def check(token: tokens.Token, workspace: str = WORKSPACE) -> Grant | Denied:
        return await gate.check(workspace, tokens.issue(token, SECRET).encode())

    good = tokens.Token(WORKSPACE, Role.READER, 2_000, "1", "Ann")
    assert await check(good) == Grant(Role.READER, 2_000, "Ann")
    now = 2_000
    expired, elsewhere = await check(good), await check(good, "b" * 32)
    assert isinstance(expired, Denied) and expired.code is CloseCode.UNAUTHORIZED
    assert isinstance(elsewhere, Denied) and elsewhere.code is CloseCode.UNAUTHORIZED
    now = 0
    elsewhere = await check(good, "b" * 32)
    assert isinstance(elsewhere, Denied) and elsewhere.code is CloseCode.FORBIDDEN
    revoked = await check(tokens.Token(WORKSPACE, Role.READER, 0, "gone"))
    assert isinstance(revoked, Denied) and revoked.code is CloseCode.UNAUTHORIZED


@pytest.mark.parametrize("secrets", [("short",), ("x" * 31, SECRET)])
def test_a_secret_that_could_be_guessed_is_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(RelayError):
        tokens.secrets_of(Config(secrets=secrets))


def test_secrets_of_a_cluster_are_never_made_up(tmp_path: object) -> None:
    with pytest.raises(RelayError):
        tokens.secrets_of(Config(secrets_file=f"{tmp_path}/secrets"))
