"""The application of one node: routes, refusals of what never reaches the platform, and the guard."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from reference_platform.api import models
from reference_platform.api.authentication import Tokens
from reference_platform.api.desk import Desk, encode, entry_of
from reference_platform.api.guard import Guard, Limits
from reference_platform.api.log import Log
from reference_platform.api.models import refusals
from reference_platform.api.routes import router
from reference_platform.ports import Platform

CODES: Final = {400: "unreadable_body", 404: "no_such_route", 405: "no_such_method"}


def create_app(
    platform: Platform,
    *,
    node: str,
    tokens: Tokens,
    log: Log,
    limits: Limits,
    workers: int = 16,
) -> FastAPI:
    """The application. Serve it with `protocol.timed`, which bounds slow clients."""
    app = FastAPI(
        title="dingfeng reference platform",
        version="1",
        description="An order platform: orders, payments, top-ups, wallets. Errors are `{error, field?}`.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = Desk(platform, tokens, workers)
    app.include_router(router)

    @app.get("/health", response_model=models.Health, responses=refusals())
    async def health() -> dict[str, str]:
        """Whether this process answers."""
        return {"node": node, "status": "up"}

    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(HTTPException, _refused)
    app.add_middleware(Guard, log=log, limits=limits, name=node)
    return app


async def _misfit(http: Request, error: Exception) -> Response:
    """The request does not fit the model. Its values are not repeated: they may be anything."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    entry = entry_of(http)
    entry.code, entry.why = "misfit", f"{where}: {first['type']}"
    return Response(encode({"error": "misfit", "field": where}), 422, None, "application/json")


async def _refused(http: Request, error: Exception) -> Response:
    """No such route or method, or no such caller."""
    assert isinstance(error, HTTPException)
    entry = entry_of(http)
    entry.code = CODES.get(error.status_code, error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 413:
        headers["Connection"] = "close"  # whatever is still on its way is not read
    return Response(encode({"error": entry.code}), error.status_code, headers, "application/json")
