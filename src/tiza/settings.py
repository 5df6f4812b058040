"""Where and how this installation runs: environment variables, or the file `.env`.

The only reader of the environment. What is *run* (recipes, flags of a verb) is not here. Nothing is
read at import: call `load()`.
"""

from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tiza.errors import SettingsError
from tiza.translation import N_
from tiza.validation import problems_of

ENV_FILE = ".env"
DATABASES = ("postgresql://", "postgres://", "sqlite:///")
ADDRESS = "must begin with http:// or https:// and name a host"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LIMITS = {
    "max_requests",
    "max_streams_per_client",
    "daily_tokens_student",
    "daily_tokens_teacher",
    "daily_tokens_admin",
}
SYSTEM_PROMPT = (
    "You are a patient teacher. Answer the question directly and correctly, in a few short "
    "sentences that a student understands. If you do not know, say so."
)


class Settings(BaseSettings):
    """One field per environment variable, same name in capitals; the default stands only here."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    app_name: str = Field("Educational Chatbot API", description=N_("Name that `GET /` answers."))
    app_version: str = Field("1.0.0", description=N_("Version that `GET /` answers."))
    host: str = Field("127.0.0.1", description=N_("Address that the API listens on."))
    port: int = Field(
        8000, ge=1, le=65535, description=N_("Port of the API (and of the local page).")
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        [], description=N_("Origins of other sites that may call the API, separated by commas.")
    )

    auth_mode: Literal["open", "accounts", "oidc"] = Field(
        "open",
        description=N_("Who gets in: `open` everybody on this machine, else accounts or OpenID."),
    )
    open_to_network: bool = Field(
        False,
        description=N_("Listen to others in `open` mode: something in front lets in who may."),
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description=N_("Secret of accounts, 32 characters or more; empty: a file in VAR_PATH."),
    )
    public_url: str = Field(
        "", description=N_("Address of the page as people open it, for links and sign-in.")
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        [], description=N_("Networks of proxies whose X-Forwarded-For and -Proto are believed.")
    )
    oidc_issuer: str = Field("", description=N_("OpenID provider, for example of the school."))
    oidc_client_id: str = Field("", description=N_("Name of this installation at the provider."))
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description=N_("Secret of this installation at the provider, if it has one.")
    )

    model_path: str = Field(
        "", description=N_("Model to serve: a .gguf file, a model folder, or a name under models/.")
    )
    models_path: Path = Field(Path("models"), description=N_("Folder of the model store."))
    taxonomy_path: Path = Field(
        Path("taxonomy"), description=N_("Folder of the lessons that teachers change in the page.")
    )
    var_path: Path = Field(Path("var"), description=N_("Folder of logs, runs and the database."))

    database_url: SecretStr = Field(
        SecretStr(""),
        description=N_("Database: postgresql://… or sqlite:///…; empty: a file in VAR_PATH."),
    )
    retention_days: int = Field(
        0, ge=0, description=N_("Days that an untouched conversation is kept; 0 = for ever.")
    )

    hf_endpoint: str = Field(
        "https://huggingface.co", description=N_("Hub that `tiza model pull` fetches from.")
    )
    hf_token: SecretStr = Field(
        SecretStr(""), description=N_("Token for models that the hub shows only after a login.")
    )

    vllm_api_url: str = Field(
        "http://127.0.0.1:8080",
        description=N_("Address of the engine, or of several that serve the same, with commas."),
    )
    vllm_api_key: SecretStr = Field(
        SecretStr(""), description=N_("Key between API and engine; `tiza up` makes one per start.")
    )
    vllm_port: int = Field(8080, ge=1, le=65535, description=N_("Port of the engine."))
    vllm_max_model_len: int = Field(
        4096, ge=256, le=1_048_576, description=N_("Context of one conversation, in tokens.")
    )
    vllm_gpu_memory: float = Field(
        0.85, gt=0, le=1, description=N_("Share of the GPU's memory that vLLM takes.")
    )
    vllm_dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        "auto", description=N_("Number format of the weights in vLLM.")
    )
    llama_slots: int = Field(
        8, ge=1, le=256, description=N_("Answers that llama.cpp writes at the same time.")
    )

    system_prompt: str = Field(
        SYSTEM_PROMPT, description=N_("First message of every conversation.")
    )
    default_max_tokens: int = Field(500, ge=1, description=N_("Length of an answer, in tokens."))
    default_temperature: float = Field(
        0.7, ge=0, le=2, description=N_("0 = always the same answer.")
    )

    max_message_chars: int = Field(8_000, ge=1, description=N_("Longest question, in characters."))
    max_history_turns: int = Field(
        100, ge=0, description=N_("Most messages of history in a request.")
    )
    max_history_chars: int = Field(
        32_000, ge=0, description=N_("Longest history in a request, in characters.")
    )
    max_body_bytes: int = Field(
        262_144, ge=1_024, description=N_("Largest body of a request, in bytes.")
    )
    max_import_bytes: int = Field(
        4_194_304, ge=1_024, description=N_("Largest file of conversations to import, in bytes.")
    )
    max_streams: int = Field(64, ge=1, description=N_("Answers in progress at once, per process."))
    max_queue: int = Field(64, ge=0, description=N_("Questions that may wait for a place."))

    max_requests: int = Field(
        600, ge=0, description=N_("Questions an hour and client; 0 = any number.")
    )
    max_streams_per_client: int = Field(
        16, ge=0, description=N_("Answers in progress at once, per client; 0 = any number.")
    )
    daily_tokens_student: int = Field(
        200_000, ge=0, description=N_("Tokens a day for a student or a guest; 0 = any number.")
    )
    daily_tokens_teacher: int = Field(
        2_000_000, ge=0, description=N_("Tokens a day for a teacher; 0 = any number.")
    )
    daily_tokens_admin: int = Field(
        0, ge=0, description=N_("Tokens a day for an administrator; 0 = any number.")
    )
    response_cache_ttl: float = Field(
        0,
        ge=0,
        description=N_("For how long an answer serves the same question again, in seconds."),
    )

    queue_seconds: float = Field(30, gt=0, description=N_("Longest wait for a place, in seconds."))
    engine_connect_seconds: float = Field(
        5, gt=0, description=N_("Patience to reach the engine, in seconds.")
    )
    engine_first_token_seconds: float = Field(
        300, gt=0, description=N_("Patience for the first word, in seconds.")
    )
    engine_idle_seconds: float = Field(
        60, gt=0, description=N_("Patience between two words, in seconds.")
    )
    drain_seconds: float = Field(
        30, ge=0, description=N_("Time for running answers at shutdown, in seconds.")
    )

    stream_grace_seconds: float = Field(
        60, ge=0, description=N_("For how long an answer is written that nobody reads, in seconds.")
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description=N_(
            "Redis that processes share answers and limits through; empty: one process."
        ),
    )

    ssl_cert_path: Path | None = Field(
        None, description=N_("Certificate of the address that people open (PEM).")
    )
    workers: int = Field(
        1, ge=1, le=256, description=N_("Processes of the API; more than one need REDIS_URL.")
    )

    metrics_key: SecretStr = Field(
        SecretStr(""),
        description=N_("Bearer key with which a monitor reads `/metrics` and `/stats`."),
    )
    otel_exporter_otlp_endpoint: str = Field(
        "", description=N_("Collector of OpenTelemetry that traces go to, as OTLP over HTTP.")
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description=N_("Least important message that is logged.")
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description=N_("`auto`: for people on a terminal, JSON otherwise.")
    )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            named = [each.strip() for each in value.split(",") if each.strip()]
            return [str(ip_network(each, strict=False)) for each in named]
        except ValueError as exc:
            raise PydanticCustomError("network", "must be networks such as 10.0.0.0/8") from exc

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        if address and not address.startswith(DATABASES):
            raise PydanticCustomError("database", "must begin with postgresql:// or sqlite:///")
        return value

    @field_validator("public_url", "oidc_issuer", "otel_exporter_otlp_endpoint")
    @classmethod
    def _address_or_empty(cls, value: str) -> str:
        if value and not _is_address(value):
            raise PydanticCustomError("address", ADDRESS)
        return value.rstrip("/")

    @field_validator("vllm_api_url")
    @classmethod
    def _plain_addresses(cls, value: str) -> str:
        named = [each.strip().rstrip("/") for each in value.split(",") if each.strip()]
        if not named or not all(map(_is_address, named)):
            raise PydanticCustomError("address", ADDRESS)
        return ",".join(dict.fromkeys(each.removesuffix("/v1").rstrip("/") for each in named))

    @cached_property
    def is_private(self) -> bool:
        """Tell whether only this machine can ask, and nobody has to say who they are."""
        return self.auth_mode == "open" and not self.open_to_network and self.host in LOOPBACK

    @cached_property
    def limits_given(self) -> bool:
        """Tell whether somebody chose a limit."""
        return not self.model_fields_set.isdisjoint(LIMITS)

    @cached_property
    def engine_urls(self) -> list[str]:
        """Addresses of the engines, at least one."""
        return self.vllm_api_url.split(",")

    @cached_property
    def page_url(self) -> str:
        """Address at which people open the page; the API is under `/api` there."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @cached_property
    def cache_path(self) -> Path:
        """Folder of what can be made again, such as a GGUF unpacked for training."""
        return self.var_path / "cache"

    @cached_property
    def store_url(self) -> str:
        """Address of the database, with its password."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.var_path / 'tiza.db'}"

    @cached_property
    def logs_path(self) -> Path:
        """Folder of the log files."""
        return self.var_path / "logs"

    @cached_property
    def runs_path(self) -> Path:
        """Folder of the runs."""
        return self.var_path / "runs"


def load(**overrides: object) -> Settings:
    """Read the settings; flags of a verb come in as overrides.

    Raises:
        SettingsError: naming every variable that cannot be used, and why.

    """
    given: dict[str, Any] = {key: value for key, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as exc:
        raise SettingsError(problems_of(exc.errors())) from exc
    except UnicodeDecodeError as exc:
        raise SettingsError.of(ENV_FILE, "{reason}", reason=exc) from exc


def sources(settings: Settings) -> Mapping[str, str]:
    """Tell where each setting came from: `environment`, `.env` or `default`."""
    import os

    from dotenv import dotenv_values

    in_file = {key.lower() for key, value in dotenv_values(ENV_FILE).items() if value}
    in_environment = {key.lower() for key, value in os.environ.items() if value}

    def source(field: str) -> str:
        if field in in_environment:
            return "environment"
        return ".env" if field in in_file else "default"

    return {field: source(field) for field in type(settings).model_fields}


def _is_address(text: str) -> bool:
    """Tell whether something can be asked for there."""
    try:
        parts = urlsplit(text)
        return text.startswith(("http://", "https://")) and bool(parts.hostname and parts.port != 0)
    except ValueError:  # a port that is none
        return False
