"""The MCP client: servers that a person configured, over the pipes of a program or over HTTP.

    listed = list_tools({"time": server})["time"]         # asked at once, within each server's own time
    text = call_tool("time", server, listed.tools[0], {"timezone": "Europe/Paris"})

What a server says (descriptions, schemas, answers) is data and decides nothing. A server gets no token, no variable and
no header but those of its own entry, and may use no model, no folder and no person of ours. Importing this imports no
protocol library.
"""

from __future__ import annotations

from .listing import Listed, ServerTool, list_tools
from .pool import call_tool, close_all

__all__ = ["Listed", "ServerTool", "call_tool", "close_all", "list_tools"]
