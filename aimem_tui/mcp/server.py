"""What the server offers, in the SDK's words: tools, resources and prompts.

- What goes wrong in a tool is an answer that says so and what to do next; the protocol's own errors
  are left to requests that make no sense to it.
- A defect is told as one, and logged without what it was about.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import mcp_types as types
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError

from aimem_tui import __version__
from aimem_tui.errors import AimemError
from aimem_tui.mcp import prompts, resources, tools
from aimem_tui.mcp.texts import Answer, line
from aimem_tui.mcp.visits import Place

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from aimem_tui.mcp.arguments import Given
    from aimem_tui.mcp.desk import Call, Desk
    from aimem_tui.mcp.tools.tool import Tool

    Context = ServerRequestContext[Any, Any]

T = TypeVar("T")

_ERROR_LIMIT = 4_000
_WORDS_FOR_AGENTS = (("aimem list", "list_thoughts"), ("aimem edit", "edit_thought"))
_log = logging.getLogger("aimem.mcp")


def make(desk: Desk) -> Server[Any]:
    """The server for a desk; it can serve any number of clients."""
    offer = _Offer(desk)
    return Server(
        "aimem",
        version=__version__,
        title="aimem: the team's thoughts",
        instructions=instructions(read_only=desk.access.read_only, into=desk.into),
        on_list_tools=offer.list_tools,
        on_call_tool=offer.call_tool,
        on_list_resources=offer.list_resources,
        on_list_resource_templates=offer.list_templates,
        on_read_resource=offer.read_resource,
        on_list_prompts=offer.list_prompts,
        on_get_prompt=offer.get_prompt,
    )


def instructions(*, read_only: bool, into: str) -> str:
    """What an agent is told at the start."""
    told = [
        "aimem is the team's memory: plans, research, decisions, notes and facts as markdown,"
        " shared live between people and agents, each at a path such as plans/auth.md.",
        "Before you start something, look whether it is known: search_thoughts gives snippets, then"
        " read_thought gives a section or lines.",
    ]
    if into:
        told.append(f"The thoughts of this project are below {into}/.")
    if read_only:
        told.append("You may read, not write.")
    else:
        told += [
            "People may be typing in a thought while you write, so change as little as you can:"
            " edit_thought or append_to_thought rather than writing anew. All edits are kept, and"
            " bear your name.",
            "Keep lasting facts with remember, and tick tasks that are done with tick_task.",
        ]
    return " ".join(told)


class _Offer:
    """The handlers of requests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tools = {tool.name: tool for tool in tools.offered(read_only=desk.access.read_only)}

    async def list_tools(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """``tools/list``."""
        # While the client looks at them, the workspace can be opened.
        self._desk.warm_up()
        return types.ListToolsResult(tools=[_described(tool) for tool in self._tools.values()])

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """``tools/call``."""
        try:
            tool = self._tool(params.name)
            given = tool.given(params.arguments or {})
            answer = await self._desk.work(self._doing(tool, given), *_names(context))
        except AimemError as error:
            return _result((_for_agents(error),), is_error=True)
        except MCPError:
            raise
        except Exception as error:
            _log.error("%s failed: %s", line(params.name, 50), _without_content(error))
            said = f"aimem failed at this ({type(error).__name__}), and changed nothing by it."
            return _result((said, "Try another way, and tell the person."), is_error=True)
        return _result(answer.texts)

    async def list_resources(
        self, context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """``resources/list``."""
        recent = await self._work(context, resources.recent)
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=resources.address(each),
                    name=each.path,
                    title=each.title,
                    mime_type="text/markdown",
                    size=each.size,
                )
                for each in recent
            ]
        )

    async def list_templates(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """``resources/templates/list``."""
        thought = types.ResourceTemplate(
            uri_template=resources.TEMPLATE,
            name="thought",
            title="A thought",
            description="The text of a thought, by path or id.",
            mime_type="text/markdown",
        )
        return types.ListResourceTemplatesResult(resource_templates=[thought])

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """``resources/read``."""
        uri = str(params.uri)

        def read(call: Call) -> str:
            thought, text = resources.read(call, uri)
            self._desk.visit(call.author, Place(thought.id))
            return text

        text = await self._work(context, read)
        content = types.TextResourceContents(uri=uri, mime_type="text/markdown", text=text)
        return types.ReadResourceResult(contents=[content])

    async def list_prompts(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        """``prompts/list``."""
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=each.name,
                    title=each.title,
                    description=each.said,
                    arguments=[
                        types.PromptArgument(
                            name=each.takes.name,
                            description=each.takes.said,
                            required=each.takes.required,
                        )
                    ],
                )
                for each in prompts.PROMPTS.values()
            ]
        )

    async def get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        """``prompts/get``."""
        values = params.arguments or {}

        def made(call: Call) -> tuple[str, str]:
            prompt = prompts.find(params.name)
            return prompt.said, prompt.text(call, values)

        said, text = await self._work(context, made)
        message = types.PromptMessage(role="user", content=types.TextContent(text=text))
        return types.GetPromptResult(description=said, messages=[message])

    def _tool(self, name: str) -> Tool:
        tool = self._tools.get(name)
        if tool is None:
            if name in tools.TOOLS:
                self._desk.access.check_writing()
            raise MCPError(
                code=types.INVALID_PARAMS,
                message=f"There is no tool {name[:50]!r}. There are: {', '.join(self._tools)}.",
            )
        return tool

    def _doing(self, tool: Tool, given: Given) -> Callable[[Call], Answer]:
        def do(call: Call) -> Answer:
            answer = tool.does(call, given)
            self._desk.visit(call.author, Place(answer.thought, answer.first, answer.last))
            return answer

        return do

    async def _work(self, context: Context, action: Callable[[Call], T]) -> T:
        """Have something done whose errors are the protocol's."""
        try:
            return await self._desk.work(action, *_names(context))
        except AimemError as error:
            raise MCPError(code=types.INVALID_PARAMS, message=_for_agents(error)) from error
        except Exception as error:
            _log.error("%s failed: %s", context.method, _without_content(error))
            said = f"aimem failed at this ({type(error).__name__})."
            raise MCPError(code=types.INTERNAL_ERROR, message=said) from None


def _names(context: Context) -> tuple[str | None, ...]:
    """What the client says it is called."""
    told = context.session.client_params
    return () if told is None else (told.client_info.title, told.client_info.name)


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.said,
        input_schema=tool.schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.writes,
            destructive_hint=tool.destroys,
            idempotent_hint=tool.repeatable,
            open_world_hint=False,
        ),
    )


def _result(said: tuple[str, ...], *, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(text=text) for text in said], is_error=is_error
    )


def _for_agents(error: AimemError) -> str:
    said = str(error)
    for command, tool in _WORDS_FOR_AGENTS:
        said = said.replace(command, tool)
    return said if len(said) <= _ERROR_LIMIT else f"{said[:_ERROR_LIMIT]}…"


def _without_content(error: Exception) -> str:
    """Where an error comes from; its message may hold somebody's text."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    return f"{type(error).__name__} at {', '.join(f'{at.name}:{at.lineno}' for at in places)}"
