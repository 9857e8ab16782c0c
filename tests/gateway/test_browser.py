"""A page in a browser, with nothing but npm's y-websocket, opens a thought."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gateway.npm import node_packages
from tests.gateway.relays import THOUGHT, WORKSPACE, RunningRelay
from tests.gateway.stock import browser_client, node_client


def in_browser(relay: RunningRelay, token: str) -> dict[str, Any]:
    return {
        "server": f"{relay.url}/yjs/{WORKSPACE}",
        "room": THOUGHT,
        "protocols": ["aimem.yjs", f"aimem.token.{token}"],
    }


async def test_a_browser_writes_with_others(relay: RunningRelay, tmp_path: Path) -> None:
    node_packages()
    async with (
        browser_client(in_browser(relay, relay.token()), tmp_path / "profile") as page,
        node_client(relay.options()) as (ann, _),
    ):
        await page.until(lambda one: one.synced and one.text)
        await ann.until(lambda one: one.synced)
        await page.do("insert", at=0, text="from a 👍 page\n")
        await ann.until(lambda one: one.text.startswith("from a 👍 page"))
        await ann.do("insert", at=0, text="from node\n")
        await page.until(lambda one: one.text.startswith("from node\nfrom a 👍 page"))

        await page.do("say", state={"user": {"name": "Page", "color": "#00a"}})
        await page.do("cursor", anchor=0, head=9)
        await ann.until(lambda one: (it := one.person("Page")) and it["head"] == 9)
        await ann.do("say", state={"user": {"name": "Ann"}})
        await ann.do("cursor", anchor=3, head=3)
        await page.until(lambda one: (it := one.person("Ann")) and it["head"] == 3)
        assert page.text == ann.text == await relay.text()


async def test_a_browser_with_a_wrong_token_is_told_and_does_not_ask_again(
    relay: RunningRelay, tmp_path: Path
) -> None:
    node_packages()
    options = in_browser(relay, f"{relay.token()}x")
    async with browser_client(options, tmp_path / "profile") as page:
        code, reason = await page.until(lambda one: one.refused)
        assert (code, reason) == (4401, "This token is not known here.")
