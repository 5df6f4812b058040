"""What Prometheus is told beside what `/stats` has: requests, parts, disks, the certificate."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from prometheus_client import mmap_dict
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conversations import visitor
from tests.api.faulty_engine import MODEL, FaultyEngine
from tests.api.service import Service, running
from tiza.api.instruments import Instruments

Series = dict[tuple[str, ...], float]


async def metrics(service: Service) -> Series:
    """Return each value by the series' name and its labels' values, in their names' order."""
    return parsed((await service.ask("/metrics")).body)


def parsed(text: bytes) -> Series:
    """Read Prometheus's text."""
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def certificate(file: Path, end: datetime) -> Path:
    """Write a certificate that ends then."""
    key, name = (
        Ed25519PrivateKey.generate(),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]),
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(end - timedelta(days=9)).not_valid_after(end)
    file.write_bytes(builder.sign(key, None).public_bytes(Encoding.PEM))
    return file


async def test_requests_are_counted_by_documented_path_when_they_end(service: Service) -> None:
    """Ids make no new series, nor do paths that do not exist; problems count by code."""
    somebody = await visitor(service.session, service.url)
    await somebody.begin()
    for number in range(3):
        await service.ask(f"/conversations/{number}")
        await service.ask(f"/nothing/{number}")
    await service.ask("/chat", {}, headers={"X-Request-ID": "x"})
    await service.ask("/health", method="HEAD")

    told = await metrics(service)
    assert told["tiza_requests_total", "GET", "/conversations/{conversation_id}", "404"] == 3
    assert told["tiza_requests_total", "GET", "", "404"] == 3
    assert told["tiza_requests_total", "POST", "/chat", "422"] == 1
    assert told["tiza_requests_total", "GET", "/health", "200"] == 1
    assert told["tiza_errors_total", "not_found"] == 6
    assert told["tiza_errors_total", "invalid_request"] == 1
    assert told["tiza_store_seconds_count", "read"] > 0
    assert told["tiza_store_seconds_count", "write"] > 0
    assert told["tiza_part_up", "store"] == 1
    assert ("tiza_part_up", "redis") not in told


async def test_gauges_tell_the_surroundings_when_they_are_read(
    engine: FaultyEngine, tmp_path: Path
) -> None:
    """Engine, model, limits, disk, memory, and when the certificate ends."""
    end = datetime(2031, 5, 6, tzinfo=UTC)
    file = certificate(tmp_path / "cert.pem", end)
    given = {"ssl_cert_path": file, "max_requests": 1, "var_path": tmp_path}
    async with running(vllm_api_url=engine.url, **given) as service:  # type: ignore[arg-type]  # settings only
        await service.chat("one")
        await service.chat("two")
        told = await metrics(service)
        assert told["tiza_engine_up", engine.url] == 1
        assert told["tiza_engine_requests", engine.url] == 0
        assert told["tiza_model_info", MODEL] == 1
        assert told["tiza_limited_total", "requests"] == 1
        assert told["tiza_token_gap_seconds_count",] == 1
        free, size = (told[f"tiza_disk_{name}_bytes", str(tmp_path)] for name in ("free", "size"))
        assert 0 < free < size
        assert told["tiza_memory_bytes",] > 10_000_000
        assert told["tiza_processes",] == 1
        expires = "tiza_certificate_expires_timestamp_seconds"
        assert told[expires, str(file)] == end.timestamp()

        await engine.stop()
        file.write_text("no certificate")
        told = await metrics(service)
        assert told["tiza_engine_up", engine.url] == 0


def test_one_model_is_in_use_when_another_was_before() -> None:
    """The older one's series goes to 0: in files of several processes none can be taken out."""
    tell = Instruments()
    for name in ("samples_0", "samples_1", "samples_0"):
        tell.model_is(name)
    told = parsed(tell.text())
    assert told["tiza_model_info", "samples_0"] == 1
    assert told["tiza_model_info", "samples_1"] == 0


def test_metrics_are_told_when_another_process_has_only_begun_a_file(tmp_path: Path) -> None:
    """A file is empty for a moment before it is filled, as when a process starts."""
    files: Any = mmap_dict  # without types
    counted = files.MmapedDict(str(tmp_path / "counter_1.db"))
    key = files.mmap_key("tiza_errors", "tiza_errors_total", [], [], "Problems.")
    counted.write_value(key, 2, 0)
    counted.close()
    (tmp_path / "counter_2.db").touch()
    assert parsed(Instruments(tmp_path).text()) == {("tiza_errors_total",): 2}
