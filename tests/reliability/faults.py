"""What may happen to a running answer, each with real processes. All return the row's figure.

In all of them: no acknowledged message is lost, none is there twice, none stays in `streaming`.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from tests.api.conversations import Visitor
from tests.api.processes import ApiProcess
from tests.disks import small_disk
from tests.redis_server import redis_server
from tests.reliability.counting_engine import counted
from tests.reliability.stage import Lost, Reader, settled, stage, visit
from tests.store.servers import server

Fault = Callable[
    [Path, float], Coroutine[None, None, str]
]  # a folder, and how long what goes is away


async def api_killed(folder: Path, _away: float) -> str:
    """Kill the API during an answer; another process takes its place."""
    async with stage(folder) as on:
        first = await on.api()
        here = await visit(first)
        reader = Reader(await here.begin("400 x 10"))
        await reader.read(here, most=200)
        first.tell(signal.SIGKILL)
        await first.ended()
        there = here.at((await on.api()).url)
        seconds = await reader.read_to_the_end(there)
        assert reader.events[-1].data["code"] == "interrupted"
        _, answer = await settled(there)
        assert answer["state"] == "interrupted"
        assert reader.text.startswith(answer["text"])
        lost = len(reader.text) - len(answer["text"])
        async with there.post(f"/messages/{reader.stream_id}/continue", {}) as response:
            assert (await response.json())["response"] == counted(400)
        return f"told after {seconds:.1f} s; {lost} characters short in the store; continued whole"


async def engine_killed(folder: Path, _away: float) -> str:
    """Kill the engine during an answer; it comes back, and the answer is continued."""
    async with stage(folder) as on:
        here = await visit(await on.api())
        reader = Reader(await here.begin("300 x 5"))
        await reader.read(here, most=100)
        await on.engine_dies()
        seconds = await reader.read_to_the_end(here)
        assert reader.events[-1].data["code"] == "engine_lost"
        _, answer = await settled(here)
        assert (answer["state"], answer["text"]) == ("interrupted", reader.text)
        await on.engine_comes()
        async with here.post(f"/messages/{reader.stream_id}/continue", {}) as response:
            assert (await response.json())["response"] == counted(300)
        return f"told after {seconds * 1000:.0f} ms; nothing lost; continued whole"


async def database_away(folder: Path, away: float) -> str:
    """PostgreSQL is away while an answer runs and while questions come."""
    with server("fsync=on", "synchronous_commit=on") as postgresql:  # it is killed
        async with stage(folder, database_url=await postgresql.make("tiza")) as on:
            here = await visit(await on.api())
            numbers = int(away * 100 + 150)
            reader = Reader(await here.begin(f"{numbers} x 10"))
            reading = asyncio.create_task(reader.read_to_the_end(here))
            while len(reader.events) < 3:  # noqa: ASYNC110  # it runs, and is being read
                await asyncio.sleep(0.01)
            await asyncio.to_thread(postgresql.tell, "stop")
            refused = await _refused_for(here, away)
            await asyncio.to_thread(postgresql.tell, "start")
            await reading
            assert reader.text == reader.events[-1].data["response"] == counted(numbers)
            assert reader.connections == 1
            _, answer = await settled(here)
            assert (answer["state"], answer["text"]) == ("complete", reader.text)
            return f"{away:.0f} s away: answer whole on one line; {refused} requests told 503"


async def disk_full(folder: Path, away: float) -> str:
    """Fill the disk of the store while an answer runs and ends, and while questions come."""
    with small_disk(folder) as disk:
        async with stage(folder, database_url=f"sqlite:///{disk.folder / 'tiza.db'}") as on:
            here = await visit(await on.api())
            reader = Reader(await here.begin("300 x 10"))
            reading = asyncio.create_task(reader.read_to_the_end(here))
            disk.fill()
            refused = await _refused_for(here, away, "store_full")
            async with asyncio.timeout(60):
                while reader.text != counted(300):  # noqa: ASYNC110  # it comes from a process
                    await asyncio.sleep(0.05)
            assert not reader.ended  # the store has it first
            disk.make_room()
            await reading
            assert reader.events[-1].data["response"] == counted(300)
            _, answer = await settled(here)
            assert (answer["state"], answer["text"]) == ("complete", reader.text)
    return f"{away:.0f} s without room: answer whole on one line; {refused} requests told 503"


async def _refused_for(somebody: Visitor, seconds: float, code: str = "store_unavailable") -> int:
    refused, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        async with somebody.asking("1 x 1", key="meanwhile") as response:
            assert response.status == 503, await response.text()
            assert (await response.json())["code"] == code
            refused += 1
        await asyncio.sleep(0.1)
    return refused


async def redis_restarted(folder: Path, _away: float) -> str:
    """Redis is killed and comes back empty, while two processes serve one answer."""
    async with redis_server(folder) as redis, stage(folder, redis_url=redis.url) as on:
        here = await visit(await on.api())
        there = here.at((await on.api()).url)
        reader = Reader(await here.begin("400 x 5"))
        await reader.read(there, most=3)
        reading = asyncio.create_task(reader.read_to_the_end(there))
        redis.dies()
        await redis.comes()
        await reading
        assert reader.text == counted(400)
        assert (await settled(here))[1]["state"] == "complete"
        return f"read whole at the other process, on {reader.connections} connection(s)"


async def writer_killed(folder: Path, _away: float) -> str:
    """Kill the process that generates; a listener at another one is told in bounded time."""
    async with redis_server(folder) as redis, stage(folder, redis_url=redis.url) as on:
        first = await on.api()
        here = await visit(first)
        there = here.at((await on.api()).url)
        reader = Reader(await here.begin("2000 x 10"))
        await reader.read(there, most=3)
        reading = asyncio.create_task(reader.read_to_the_end(there))
        first.tell(signal.SIGKILL)
        await first.ended()
        seconds = await reading
        assert reader.events[-1].data["code"] == "interrupted"
        assert (await settled(there))[1]["state"] == "interrupted"
        return f"told after {seconds:.1f} s"


async def hundred_connections(folder: Path, _away: float) -> str:
    """Reconnect a hundred times, to one of two processes and the other."""
    async with redis_server(folder) as redis, stage(folder, redis_url=redis.url) as on:
        here = await visit(await on.api())
        there = here.at((await on.api()).url)
        reader = Reader(await here.begin("1500 x 5"))
        async with asyncio.timeout(60):
            while not reader.ended:
                for place in (here, there):
                    if not reader.ended:
                        enough = reader.connections >= 100
                        await reader.read(place, most=1_000_000 if enough else 1)
        assert reader.text == counted(1500)
        assert reader.connections >= 100
        return f"{reader.connections} connections, nothing lost or repeated"


async def two_listeners(folder: Path, _away: float) -> str:
    """Two tabs read one answer."""
    async with stage(folder) as on:
        here = await visit(await on.api())
        stream_id = await here.begin("200 x 2")
        readers = [Reader(stream_id), Reader(stream_id)]
        await asyncio.gather(*[reader.read_to_the_end(here) for reader in readers])
        assert [reader.text for reader in readers] == [counted(200)] * 2
        assert len(await settled(here)) == 2
        return "both read all, from one generation"


async def sent_twice(folder: Path, _away: float) -> str:
    """Send the same question many times at once, to two processes."""
    async with stage(folder) as on:
        here = await visit(await on.api())
        there = here.at((await on.api()).url)
        asked = [place.ask("50 x 2", key="once") for place in (here, there) * 5]
        answers = await asyncio.gather(*asked)
        assert {answer["response"] for answer in answers} == {counted(50)}
        assert len({answer["message_id"] for answer in answers}) == 1
        assert len(await settled(here)) == 2
        return f"{len(answers)} sends, 1 question, 1 answer"


async def stopped_at_the_end(folder: Path, _away: float) -> str:
    """Answers are stopped in the moment in which they end."""
    stopped, times = 0, 20
    async with stage(folder) as on:
        here = await visit(await on.api())
        for number in range(times):
            reader = Reader(await here.begin("20 x 1"))
            await asyncio.sleep(0.02 + number / 1000)
            _, __ = await asyncio.gather(here.stop(reader.stream_id), reader.read_to_the_end(here))
            assert [event.name for event in reader.events].count("done") == 1
            newest = (await settled(here))[-1]
            assert newest["text"] == reader.text == reader.events[-1].data["response"]
            was_stopped = reader.events[-1].data["finish_reason"] == "stopped"
            assert newest["state"] == ("stopped" if was_stopped else "complete")
            stopped += was_stopped
    return f"{stopped} of {times} stopped, the others whole; each had one end"


async def rolling_restart(folder: Path, _away: float) -> str:
    """Two processes are replaced one after the other, while people ask without pause."""
    async with redis_server(folder) as redis, stage(folder, redis_url=redis.url) as on:
        places = [(await on.api()), (await on.api())]
        people = [await visit(places[0]) for _ in range(4)]
        over = asyncio.Event()

        async def ask_on(number: int) -> int:
            asked = 0
            while not over.is_set():
                await _asked_until_whole(people[number], places, f"{number}-{asked}")
                asked += 1
            return asked

        asking = [asyncio.create_task(ask_on(number)) for number in range(len(people))]
        for index in range(2):
            old, places[index] = places[index], await on.api()
            old.tell(signal.SIGTERM)
            await old.ended()
        over.set()
        asked = await asyncio.gather(*asking)
        for person, number in zip(people, asked, strict=True):
            messages = await settled(person.at(places[0].url))
            assert sum(m["role"] == "user" for m in messages) == number
            answers = [m for m in messages if m["role"] == "assistant"]
            whole = [m["text"] for m in answers if m["state"] == "complete"]
            assert whole == [counted(30)] * number
        return f"{sum(asked)} questions by {len(people)} people, each answered once and whole"


async def _asked_until_whole(
    person: Visitor, places: list[ApiProcess], key: str
) -> None:  # as a page does it
    """Ask at any process, and go on reading or have it continued until it is whole."""
    body = {"message": "30 x 20"}
    path = f"/conversations/{person.conversation}/messages"
    async with asyncio.timeout(60):
        for turn in range(10_000):
            here = person.at(places[turn % 2].url)
            with suppress(*Lost):
                async with here.post(path, body, key) as response:
                    if response.status == 200:
                        assert (await response.json())["response"] == counted(30)
                        return
                    problem = await response.json()
                if problem["code"] == "interrupted":
                    async with asyncio.timeout(2):  # it may have gone meanwhile
                        newest = (await settled(here))[-1]
                    if newest["state"] == "interrupted":
                        path, body = f"/messages/{newest['id']}/continue", {}
                else:
                    assert problem["code"] in ("draining", "store_busy", "store_unavailable")
            await asyncio.sleep(0.02)


FAULTS: dict[str, Fault] = {
    "API killed (kill -9) during an answer": api_killed,
    "Engine killed (kill -9) during an answer": engine_killed,
    "Database unreachable while an answer runs": database_away,
    "Disk full while an answer runs and ends": disk_full,
    "Redis restarted, its memory lost": redis_restarted,
    "The writing one of two processes killed": writer_killed,
    "A client that reconnects a hundred times": hundred_connections,
    "Two tabs on one answer": two_listeners,
    "The same question sent ten times at once": sent_twice,
    "Stop and end at the same moment": stopped_at_the_end,
    "Rolling restart of two processes under load": rolling_restart,
}
