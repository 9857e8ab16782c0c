"""Claude, through Anthropic's Messages API. What is sent and what may come: ``docs/assist.md``.

- The key goes into one header of one request to one host, over TLS; never into a URL, a message or
  a log. No redirect is followed: it would take the key along.
- The answer is held to a JSON schema by the service (``output_config.format``); it is checked here
  all the same, for a refusal or a cut-off answer has no such form.
- One time-out is over everything, waiting and trying again included. Trying again is for what
  passes (429 with ``retry-after``, 5xx, 529), and at most twice.
- Whatever comes back is bounded before it is read, and words of the service's are shown only in
  part and as text.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from aimem_tui import __version__
from aimem_tui.assist import prices, schema
from aimem_tui.assist.port import (
    Completion,
    Limits,
    ModelFailed,
    Prompt,
    Schema,
    Usage,
    estimated_tokens,
)

if TYPE_CHECKING:
    import aiohttp

BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
_LARGEST_ANSWER = 2_000_000
"""Bytes; a hundred times what the longest answer takes."""
_TRIES = 3
_LONGEST_WAIT = 20.0
"""Seconds that are worth waiting before another try."""
_PASSING = frozenset({408, 409, 500, 502, 503, 504, 529})
_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claude:
    """One of Anthropic's models.

    Args:
        key: the user's API key.
        model: a model's id, as in ``claude-haiku-5-5``.
        room: how many tokens a prompt should have at most.
        base_url: where the service is; anything but TLS is refused unless it is this machine.

    Raises:
        ModelFailed: if the key cannot be one, or the address is not safe.
    """

    key: str = field(repr=False)
    model: str = prices.DEFAULT_MODEL
    room: int = 6_000
    base_url: str = BASE_URL

    def __post_init__(self) -> None:
        problem = key_problem(self.key)
        if problem:
            raise ModelFailed(
                "There is no usable key for Claude.",
                why=problem,
                hint="To give one: aimem assist setup claude.",
            )
        address = urlsplit(self.base_url)
        if address.scheme != "https" and address.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ModelFailed("A key is sent only over TLS.", why=f"{self.base_url} has none.")

    @property
    def name(self) -> str:
        """The model's id."""
        return self.model

    @property
    def host(self) -> str:
        """Where everything is sent."""
        return urlsplit(self.base_url).hostname or ""

    def generate(self, prompt: Prompt, schema: Schema, limits: Limits) -> Completion:
        """Ask once; see :class:`aimem_tui.assist.port.Adapter`."""
        body = _request(self.model, prompt, schema, limits)

        async def post(http: aiohttp.ClientSession) -> _Reply:
            async with http.post(
                f"{self.base_url}/v1/messages", json=body, allow_redirects=False
            ) as response:
                return await _read(response)

        return _completion(self._run(post, limits.seconds), self.model, limits)

    def check(self, seconds: float = 15.0) -> str:
        """Whether the key is taken and the model is there; costs nothing.

        Returns: the model's name in full.

        Raises:
            ModelFailed: if not, in words.
        """

        async def get(http: aiohttp.ClientSession) -> _Reply:
            url = f"{self.base_url}/v1/models/{quote(self.model, safe='')}"
            async with http.get(url, allow_redirects=False) as response:
                return await _read(response)

        reply = self._run(get, seconds)
        value = _parsed(reply)
        if reply.status != 200 or not isinstance(value.get("id"), str):
            raise _nonsense()
        return _shown(str(value.get("display_name") or value["id"]))

    def most(self, prompt: Prompt, limits: Limits) -> float:
        """What a call may cost at most, in US dollars."""
        # Half as much again as estimated: a token is now and then shorter than three bytes.
        tokens = estimated_tokens(prompt.system + prompt.user) * 3 // 2 + 500
        return prices.terms(self.model).cost(Usage(tokens, limits.answer_tokens))

    def cost(self, usage: Usage) -> float:
        """What a call has cost, in US dollars."""
        return prices.terms(self.model).cost(usage)

    def close(self) -> None:
        """Nothing is kept between calls."""

    def _run(
        self, send: Callable[[aiohttp.ClientSession], Awaitable[_Reply]], seconds: float
    ) -> _Reply:
        return asyncio.run(self._send(send, seconds))

    async def _send(
        self, send: Callable[[aiohttp.ClientSession], Awaitable[_Reply]], seconds: float
    ) -> _Reply:
        import aiohttp

        headers = {
            "x-api-key": self.key,
            "anthropic-version": VERSION,
            "accept-encoding": "identity",
            "user-agent": f"aimem/{__version__}",
        }
        try:
            async with (
                asyncio.timeout(seconds),
                aiohttp.ClientSession(headers=headers, trust_env=True) as http,
            ):
                return await self._try(lambda: send(http), asyncio.get_running_loop().time, seconds)
        except TimeoutError as error:
            raise ModelFailed(
                f"Claude did not answer within {seconds:g} seconds.", spent=None
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise ModelFailed(
                f"{self.host} could not prove who it is, so nothing was sent.",
                hint="Something on the way may be reading along.",
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise ModelFailed(f"{self.host} cannot be reached.") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise ModelFailed(f"The connection to {self.host} broke off.", spent=None) from error

    async def _try(
        self, send: Callable[[], Awaitable[_Reply]], clock: Callable[[], float], seconds: float
    ) -> _Reply:
        end = clock() + seconds
        for attempt in range(1, _TRIES + 1):
            reply = await send()
            if reply.status == 200:
                return reply
            delay = _delay(reply, attempt)
            if attempt == _TRIES or delay is None or delay > min(_LONGEST_WAIT, end - clock()):
                break
            await asyncio.sleep(delay)
        raise self._failure(reply)

    def _failure(self, reply: _Reply) -> ModelFailed:
        """What an answer that is an error means to a person."""
        said = _said(reply).replace(self.key, "…")
        another_key = "To give another: aimem assist setup claude."
        another_model = "To choose another: aimem config set assist.claude-model NAME."
        match reply.status:
            case 401:
                return ModelFailed("Claude does not take the key.", why=said, hint=another_key)
            case 402:
                return ModelFailed("The account with Anthropic cannot pay.", why=said)
            case 403:
                return ModelFailed(
                    f"The key may not be used for {self.model}.", why=said, hint=another_key
                )
            case 404:
                return ModelFailed(
                    f"There is no model {self.model} for this key.", why=said, hint=another_model
                )
            case 413:
                return ModelFailed("It is too much text for Claude.", why=said)
            case 429:
                wait = _retry_after(reply)
                hint = "" if wait is None else f"Try again in {wait:.0f} seconds."
                return ModelFailed("The limit of this key is reached.", why=said, hint=hint)
            case 400:
                return ModelFailed("Anthropic refuses the request.", why=said)
            case status if status in _PASSING:
                return ModelFailed(
                    "Claude is overloaded or out of order.", why=said, hint="Try again later."
                )
        return _nonsense()


def key_problem(key: str) -> str:
    """Why a text cannot be a key, in words; empty if it can."""
    if not key:
        return "None is kept here."
    if not key.isascii() or not key.isprintable() or " " in key or len(key) > 1_000:
        return "A key is one word of plain characters."
    return ""


def _request(model: str, prompt: Prompt, answer: Schema, limits: Limits) -> dict[str, Any]:
    held = {"type": "json_schema", "schema": schema.without(answer, _is_refused)}
    config: dict[str, Any] = {"format": held}
    if prices.terms(model).effort:
        # Thinking is billed and counts as answer; a question over a few passages needs little.
        config["effort"] = "low"
    return {
        "model": model,
        "max_tokens": limits.answer_tokens,
        "system": prompt.system,
        "messages": [{"role": "user", "content": prompt.user}],
        "output_config": config,
    }


def _is_refused(keyword: str, _value: object) -> bool:
    """The service refuses a schema that bounds lengths and numbers."""
    return keyword in schema.BOUNDS


async def _read(response: aiohttp.ClientResponse) -> _Reply:
    body = bytearray()
    async for piece in response.content.iter_chunked(65_536):
        body += piece
        if len(body) > _LARGEST_ANSWER:
            raise ModelFailed("What comes from Claude does not end.", spent=None)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return _Reply(response.status, headers, bytes(body))


def _completion(reply: _Reply, model: str, limits: Limits) -> Completion:
    message = _parsed(reply)
    usage = _usage(message.get("usage"))
    match message.get("stop_reason"):
        case "end_turn" | "stop_sequence":
            pass
        case "max_tokens" | "model_context_window_exceeded":
            raise ModelFailed(
                f"The answer was longer than {limits.answer_tokens} tokens and was cut off.",
                hint="To allow more: aimem config set assist.answer-tokens N.",
                spent=usage,
            )
        case "refusal":
            raise ModelFailed(f"{model} declines to answer.", spent=usage)
        case _:
            raise _nonsense(usage)
    blocks = message.get("content")
    texts = [
        str(block.get("text", ""))
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict) and block.get("type") == "text"
    ]
    try:
        return Completion(schema.read("".join(texts)), usage)
    except ValueError as error:
        raise ModelFailed(
            "Claude's answer has not the form that was asked for.", spent=usage
        ) from error


def _parsed(reply: _Reply) -> dict[str, Any]:
    try:
        value = schema.read(reply.body.decode())
    except ValueError as error:
        raise _nonsense() from error
    if not isinstance(value, dict):
        raise _nonsense()
    return value


def _usage(value: object) -> Usage:
    def count(*names: str) -> int:
        given = [value.get(name) for name in names] if isinstance(value, dict) else []
        return sum(each for each in given if isinstance(each, int) and each > 0)

    tokens_in = count("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return Usage(tokens_in, count("output_tokens"))


def _said(reply: _Reply) -> str:
    """What the service says of an error, and the number it wants to hear when asked about it."""
    try:
        error = _parsed(reply).get("error")
    except ModelFailed:
        error = None
    message = error.get("message") if isinstance(error, dict) else None
    words = _shown(str(message or "")).rstrip(".")
    request = _shown(reply.headers.get("request-id", ""))
    return " ".join(
        part for part in (words and f"{words}.", request and f"Request {request}.") if part
    )


def _shown(text: str) -> str:
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= 200 else line[:199] + "…"


def _retry_after(reply: _Reply) -> float | None:
    value = reply.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None


def _delay(reply: _Reply, attempt: int) -> float | None:
    """How many seconds to wait before another try; None: there is no use in one."""
    given = _retry_after(reply)
    if reply.status == 429:
        return given
    if reply.status not in _PASSING:
        return None
    return random.uniform(0.5, 1.0) * 2.0 ** (attempt - 1) if given is None else given


def _nonsense(spent: Usage = _NOTHING) -> ModelFailed:
    return ModelFailed(
        "What came back is not an answer of Claude's.",
        hint="Something between this machine and Anthropic may have answered instead.",
        spent=spent,
    )
