"""What Prometheus is told: every metric of the API, by name.

Counters and histograms are touched when a request or an answer ends, never for a token. Gauges are
set by whoever knows them, before they are read (`watching`). Several processes of one service write
to files in one folder, named by FOLDER before this is imported, and whoever is asked adds them up:
what a process has counted outlives it. Knows no request and no engine.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own name for it
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)  # of answers
SHORT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Instruments:
    """The metrics of one process; `folder`: where others' are, None if there are none."""

    def __init__(self, folder: Path | None = None) -> None:
        registry = self._registry = CollectorRegistry()
        self._folder, self._models = folder, set[str]()

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(name, words, labels, registry=registry)

        def histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, words, labels, registry=registry, buckets=buckets)

        def total(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(name, words, labels, registry=registry, multiprocess_mode="livesum")

        def newest(name: str, words: str, *labels: str) -> Gauge:
            mode = "livemostrecent"
            return Gauge(name, words, labels, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]  # one of its modes

        self.requests = counter(
            "tiza_requests", "HTTP requests, by path as documented.", "method", "path", "status"
        )
        self.errors = counter("tiza_errors", "Problems that were answered.", "code")
        self.answers = counter("tiza_answers", "Answers by how they ended.", "outcome")
        self.tokens = counter("tiza_tokens", "Tokens.", "kind", "model")
        self.saved = counter("tiza_saved_answers", "Answers without a generation.", "source")
        self.limited = counter("tiza_limited", "Questions over a limit.", "limit")
        self.answer_seconds = histogram("tiza_answer_seconds", "Whole answers.", SECONDS)
        self.first_token = histogram("tiza_first_token_seconds", "First tokens.", SECONDS)
        self.token_gap = histogram(
            "tiza_token_gap_seconds", "Mean gap between an answer's tokens.", SHORT_SECONDS
        )
        self.store_seconds = histogram(
            "tiza_store_seconds", "Transactions of the store.", SHORT_SECONDS, "kind"
        )
        self.active = total("tiza_active_streams", "Answers in progress.")
        self.places = total("tiza_stream_places", "Answers that may be in progress at once.")
        self.queue = total("tiza_queue", "Questions waiting for a place.")
        self.processes = total("tiza_processes", "Processes of the API.")
        self.draining = total("tiza_draining_processes", "Processes that take no more questions.")
        self.memory = total("tiza_memory_bytes", "Resident memory of the API.")
        self.cache = total("tiza_cache_bytes", "Answers kept for the same question.")
        self.engine_requests = total(
            "tiza_engine_requests", "Requests that an engine works on.", "engine"
        )
        self.engine_up = newest("tiza_engine_up", "Whether an engine answers.", "engine")
        self.model = newest("tiza_model_info", "1 for the model in use.", "model")
        self.part_up = newest("tiza_part_up", "Whether the store, or Redis, answers.", "part")
        self.disk_free = newest("tiza_disk_free_bytes", "Room left on a disk.", "folder")
        self.disk_size = newest("tiza_disk_size_bytes", "Size of a disk.", "folder")
        self.certificate = newest(
            "tiza_certificate_expires_timestamp_seconds", "When SSL_CERT_PATH ends.", "file"
        )
        self.build = newest("tiza_build_info", "1, with the version that runs.", "version")

    @property
    def labels(self) -> dict[str, set[str]]:
        """The labels of every series, by its name as Prometheus's queries write it."""
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        metrics = [each for each in vars(self).values() if isinstance(each, MetricWrapperBase)]
        return {
            of.name + end: set(each._labelnames)  # noqa: SLF001  # there is no other way to ask
            for each in metrics
            for of in each.describe()
            for end in ends.get(of.type, ("",))
        }

    def model_is(self, name: str) -> None:
        """Tell the model in use; those before it are not any more."""
        for known in self._models - {name}:
            self.model.labels(known).set(0)
        self._models.add(name)
        self.model.labels(name).set(1)

    def text(self) -> bytes:
        """Return the content of `GET /metrics` (text format 0.0.4), of all processes."""
        if self._folder is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        registry.register(_EveryProcess(self._folder))
        return generate_latest(registry)


class _EveryProcess(Collector):
    """What all processes have counted: their files, but for those that are only being made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in self._folder.glob("*.db") if _is_begun(path)]
        yield from MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # untyped there


def _is_begun(path: Path) -> bool:
    with suppress(FileNotFoundError):  # of a process that has just died
        return path.stat().st_size > 0
    return False
