"""The web application: the page's files, /health, and /live."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from .._wire import VERSION
from ._guard import Door, Guard
from ._hub import Hub
from ._pages import PageFile, read_page


def app(hub: Hub, door: Door) -> ASGIApp:
    """All of it, behind the guard."""

    async def live(socket: WebSocket) -> None:
        await hub.welcome(socket)

    async def health(request: Request) -> Response:
        return JSONResponse({"version": VERSION, "viewers": hub.looking})

    routes: list[BaseRoute] = [Route("/health", health), WebSocketRoute("/live", live)]
    routes += [Route(path, _served(file)) for path, file in read_page().items()]
    return Guard(Starlette(routes=routes), door)


def _served(file: PageFile) -> type[HTTPEndpoint]:
    class Served(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            return Response(file.body, media_type=file.kind)

    return Served
