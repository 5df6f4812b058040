"""Models that answer by rule: for faults and outcomes that no real model can be made to show."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

Answers = Callable[[str], str | int]


@contextmanager
def model(answers: Answers) -> Iterator[tuple[str, list[str]]]:
    """Serve; yield the address and the questions as they came. A number is an HTTP status."""
    asked: list[str] = []

    async def complete(request: web.Request) -> web.Response:
        question = (await request.json())["messages"][-1]["content"]
        asked.append(question)
        answer = answers(question)
        if isinstance(answer, int):
            return web.Response(status=answer, text="refused")
        choice = {"message": {"content": answer}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": {"completion_tokens": 3}})

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "pretended"}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def stop() -> None:
        await runner.cleanup()
        await asyncio.sleep(0)  # the transports close in the loop's next turn

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
