"""What the service has done since it started: `/stats` as JSON, `/metrics` for Prometheus.

Both are counted in one place, when an answer ends. Tokens and times are those of generations: an
answer that is read by many counts once. Quantiles come from the newest SAMPLES answers.
Knows no request and no engine.
"""

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Count

from tiza.api.admission import Admission
from tiza.errors import EngineError, InternalError, RequestError

SAMPLES = 1000
QUANTILES = {"p50": 50, "p95": 95, "p99": 99}
Source = Literal["miss", "hit", "shared"]  # generated, from the cache, another's generation
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


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


class Stats:
    """The counters of one process."""

    def __init__(self, admission: Admission) -> None:
        self._started = time.time()
        self._admission = admission
        self._outcomes: Counter[str] = Counter()
        self._unpaid: Counter[Source] = Counter()
        self._models: defaultdict[str, PerModel] = defaultdict(PerModel)
        self._registry = CollectorRegistry()
        self._make_instruments()

    def _make_instruments(self) -> None:
        registry = self._registry
        self._requests = Count(
            "tiza_answers", "Answers by how they ended.", ["outcome"], registry=registry
        )
        self._tokens = Count("tiza_tokens", "Tokens.", ["kind", "model"], registry=registry)
        self._saved = Count(
            "tiza_saved_answers", "Answers without a generation.", ["source"], registry=registry
        )
        self._latency = Histogram(
            "tiza_answer_seconds", "Whole answers.", buckets=SECONDS, registry=registry
        )
        self._first = Histogram(
            "tiza_first_token_seconds", "First tokens.", buckets=SECONDS, registry=registry
        )
        active = Gauge("tiza_active_streams", "Answers in progress.", registry=registry)
        active.set_function(lambda: self._admission.active)
        queue = Gauge("tiza_queue", "Questions waiting for a place.", registry=registry)
        queue.set_function(lambda: self._admission.waiting)

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
        self._requests.labels(outcome).inc()
        if not answer.pays:
            self._unpaid[answer.cache] += 1
            self._saved.labels(answer.cache).inc()
        elif answer.model:
            self._record_generated(answer, outcome)

    def _record_generated(self, answer: Answer, outcome: str) -> None:
        per_model = self._models[answer.model]
        per_model.prompt_tokens += answer.prompt_tokens
        per_model.completion_tokens += answer.completion_tokens
        self._tokens.labels("prompt", answer.model).inc(answer.prompt_tokens)
        self._tokens.labels("completion", answer.model).inc(answer.completion_tokens)
        if answer.first_token is not None:
            per_model.first_token.append(answer.first_token - answer.started)
            self._first.observe(answer.first_token - answer.started)
        if outcome == "ok":
            per_model.answers += 1
            per_model.latency.append(answer.seconds)
            self._latency.observe(answer.seconds)

    def as_json(self) -> dict[str, object]:
        """Return the content of `GET /stats`."""
        models = self._models.values()
        return {
            "uptime_seconds": round(time.time() - self._started, 1),
            "requests": {"total": self._outcomes.total(), **self._outcomes},
            "active_streams": self._admission.active,
            "queued": self._admission.waiting,
            "prompt_tokens": sum(m.prompt_tokens for m in models),
            "completion_tokens": sum(m.completion_tokens for m in models),
            "time_to_first_token_seconds": quantiles([s for m in models for s in m.first_token]),
            "latency_seconds": quantiles([s for m in models for s in m.latency]),
            "cache_hits": self._unpaid["hit"],
            "shared_answers": self._unpaid["shared"],
            "models": {name: _model_json(m) for name, m in self._models.items()},
        }

    def as_prometheus(self) -> bytes:
        """Return the content of `GET /metrics` (text format 0.0.4)."""
        return generate_latest(self._registry)


def quantiles(samples: list[float]) -> dict[str, float | None]:
    """Return p50, p95 and p99 by the nearest-rank method; None without samples."""
    ranked = sorted(samples)
    return {
        name: round(ranked[math.ceil(percent * len(ranked) / 100) - 1], 4) if ranked else None
        for name, percent in QUANTILES.items()
    }


def _model_json(model: PerModel) -> dict[str, object]:
    return {
        "answers": model.answers,
        "prompt_tokens": model.prompt_tokens,
        "completion_tokens": model.completion_tokens,
        "time_to_first_token_seconds": quantiles(list(model.first_token)),
        "latency_seconds": quantiles(list(model.latency)),
    }
