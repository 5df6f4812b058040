"""What an engine is to the rest of Tiza: a process with an address."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not bound


@dataclass(frozen=True)
class Address:
    """Where an engine listens, and the key that it asks for ("" for none)."""

    host: str
    port: int
    api_key: str = ""

    @property
    def url(self) -> str:
        """Address for clients on this machine."""
        host = LOOPBACK_OF.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The key as both engines read it; other users cannot see it in the process list."""
        return {"VLLM_API_KEY": self.api_key} if self.api_key else {}


@dataclass(frozen=True)
class Engine:
    """A process that speaks OpenAI's HTTP. `model`, the active one, is `base` or an adapter."""

    kind: str
    model: str
    address: Address
    command: list[str]
    base: str = ""
    adapters: tuple[str, ...] = ()  # names, in the order in which the engine loads them
    scopes: Mapping[str, str] = field(default_factory=dict)  # of adapters: see models.scope
