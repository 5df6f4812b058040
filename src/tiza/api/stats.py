"""What the service has done since it started: counted when an answer ends, told by `/stats`.

Tokens and times are those of generations: an answer that is read by many counts once. Quantiles
come from the newest SAMPLES answers. Where several processes serve together, each tells the others
its part, and any adds them up. Knows no request and no engine.
"""

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tiza.api.admission import Admission
from tiza.api.instruments import Instruments
from tiza.errors import EngineError, InternalError, RequestError

SAMPLES = 1000
QUANTILES = {"p50": 50, "p95": 95, "p99": 99}
Json = dict[str, Any]
Source = Literal["miss", "hit", "shared"]  # generated, from the cache, another's generation


@dataclass
class Answer:
    """One answer while it is made. Times are of `time.perf_counter`, in seconds."""

    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    pieces: int = 0  # of text; about as many as tokens, where the engine's count never came
    cache: Source = "miss"
    pays: bool = True  # False: somebody else's answer was read, or one from the cache

    @property
    def charged(self) -> int:
        """How many tokens were generated for whoever asked."""
        written = self.completion_tokens or self.pieces
        return self.prompt_tokens + written if self.pays else 0

    @property
    def seconds(self) -> float:
        """Time since the question came."""
        return time.perf_counter() - self.started

    def take_usage(self, usage: Any) -> None:
        """Read the engine's token counts.

        Raises:
            EngineError: they are not there or not numbers of tokens.

        """
        try:
            prompt, completion = int(usage["prompt_tokens"]), int(usage["completion_tokens"])
        except (KeyError, TypeError, ValueError) as exc:
            raise EngineError(reason="usage without token counts") from exc
        if min(prompt, completion) < 0:
            raise EngineError(reason="usage with negative token counts")
        self.prompt_tokens, self.completion_tokens = prompt, completion

    def saw_token(self) -> None:
        """Count pieces and note the time of the first."""
        self.pieces += 1
        if self.first_token is None:
            self.first_token = time.perf_counter()


@dataclass
class PerModel:
    """What one model has done."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    latency: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    def add(self, told: Json) -> None:
        """Add what another process has done with it."""
        self.answers += told["answers"]
        self.prompt_tokens += told["prompt_tokens"]
        self.completion_tokens += told["completion_tokens"]
        self.first_token = deque([*self.first_token, *told["first_token"]])
        self.latency = deque([*self.latency, *told["latency"]])


class Stats:
    """The counters of one process."""

    def __init__(self, admission: Admission, instruments: Instruments) -> None:
        self.instruments = instruments
        self._started = time.time()
        self._admission = admission
        self._outcomes: Counter[str] = Counter()
        self._unpaid: Counter[str] = Counter()
        self._models: defaultdict[str, PerModel] = defaultdict(PerModel)

    @contextmanager
    def count(self, answer: Answer) -> Iterator[None]:
        """Count one answer; how the block ends is its outcome."""
        outcome = "cancelled"  # left by CancelledError or GeneratorExit: the client went away
        try:
            yield
            outcome = "ok"
        except RequestError as exc:
            outcome = exc.code
            raise
        except Exception:
            outcome = InternalError.code
            raise
        finally:
            self._record(answer, outcome)

    def _record(self, answer: Answer, outcome: str) -> None:
        self._outcomes[outcome] += 1
        self.instruments.answers.labels(outcome).inc()
        if not answer.pays:
            self._unpaid[answer.cache] += 1
            self.instruments.saved.labels(answer.cache).inc()
        elif answer.model:
            self._record_generated(answer, outcome)

    def _record_generated(self, answer: Answer, outcome: str) -> None:
        seconds, tell = answer.seconds, self.instruments
        per_model = self._models[answer.model]
        per_model.prompt_tokens += answer.prompt_tokens
        per_model.completion_tokens += answer.completion_tokens
        tell.tokens.labels("prompt", answer.model).inc(answer.prompt_tokens)
        tell.tokens.labels("completion", answer.model).inc(answer.completion_tokens)
        if answer.first_token is not None:
            first = answer.first_token - answer.started
            per_model.first_token.append(first)
            tell.first_token.observe(first)
            if answer.pieces > 1:
                tell.token_gap.observe((seconds - first) / (answer.pieces - 1))
        if outcome == "ok":
            per_model.answers += 1
            per_model.latency.append(seconds)
            tell.answer_seconds.observe(seconds)

    def told(self) -> Json:
        """Return this process's part, for whichever process is asked."""
        models = {
            name: asdict(model) | {"first_token": [*model.first_token], "latency": [*model.latency]}
            for name, model in self._models.items()
        }
        return {
            "started": self._started,
            "outcomes": self._outcomes,
            "active": self._admission.active,
            "waiting": self._admission.waiting,
            "unpaid": self._unpaid,
            "models": models,
        }


def summed(parts: Sequence[Json]) -> Json:
    """Return the content of `GET /stats`, from the parts of all processes."""
    models: defaultdict[str, PerModel] = defaultdict(PerModel)
    outcomes, unpaid = Counter[str](), Counter[str]()
    for part in parts:
        outcomes.update(part["outcomes"])
        unpaid.update(part["unpaid"])
        for name, told in part["models"].items():
            models[name].add(told)
    return {
        "uptime_seconds": round(time.time() - min(part["started"] for part in parts), 1),
        "requests": {"total": outcomes.total(), **outcomes},
        "active_streams": sum(part["active"] for part in parts),
        "queued": sum(part["waiting"] for part in parts),
        "cache_hits": unpaid["hit"],
        "shared_answers": unpaid["shared"],
        **_work(models),
        "models": {name: {"answers": m.answers, **_work({name: m})} for name, m in models.items()},
    }


def _work(models: Mapping[str, PerModel]) -> Json:
    """Return the tokens and times of models together."""
    of = models.values()
    return {
        "prompt_tokens": sum(m.prompt_tokens for m in of),
        "completion_tokens": sum(m.completion_tokens for m in of),
        "time_to_first_token_seconds": quantiles([s for m in of for s in m.first_token]),
        "latency_seconds": quantiles([s for m in of for s in m.latency]),
    }


def quantiles(samples: list[float]) -> dict[str, float | None]:
    """Return p50, p95 and p99 by the nearest-rank method; None without samples."""
    ranked = sorted(samples)
    return {
        name: round(ranked[math.ceil(percent * len(ranked) / 100) - 1], 4) if ranked else None
        for name, percent in QUANTILES.items()
    }
