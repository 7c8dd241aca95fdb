"""A server of the official SDK, which speaks both eras; with `http PORT` over Streamable HTTP."""

import sys
from typing import Annotated

from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from pydantic import BaseModel

server = MCPServer("orders", instructions="Orders and notes.")


class Amount(BaseModel):
    amount: int


@server.tool()
def look_up(order: str) -> str:
    """Look up an order."""
    return f"order {order}"


@server.tool()
def save_note(text: str) -> str:
    """Keep a note."""
    return f"kept {text}"


@server.tool()
def drop_all() -> str:
    """Drop everything."""
    return "dropped"


@server.tool()
async def slow(order: str, ctx: Context) -> str:
    """Tell how far it is."""
    await ctx.report_progress(1, 2, "half of it")
    return f"slowly {order}"


def how_many(order: str) -> Elicit[Amount]:
    """A question of the server's, put in the way of whichever era it is."""
    return Elicit(f"How many of {order}?", Amount)


@server.tool()
async def asks(order: str, amount: Annotated[Amount, Resolve(how_many)]) -> str:
    """Ask how many."""
    return f"{amount.amount} of {order}"


@server.resource("file:///docs/a.md")
def page() -> str:
    """A page."""
    return "hello"


@server.resource("file:///etc/secret")
def secret() -> str:
    """A secret."""
    return "hunter2"


if sys.argv[1:2] == ["http"]:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
elif __name__ == "__main__":
    server.run()
