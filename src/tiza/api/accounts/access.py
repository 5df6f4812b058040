"""What one process needs to find out who calls. Opens nothing before it is asked."""

from functools import cached_property

from tiza.api.accounts.gates import AccountGate, OpenGate
from tiza.api.accounts.passwords import Passwords
from tiza.api.accounts.provider import Client, Provider
from tiza.api.accounts.secret import server_secret
from tiza.api.accounts.sign_in import SignIn
from tiza.api.accounts.tokens import Tokens
from tiza.api.opening import OpeningStore
from tiza.settings import Settings


class Access:
    """The gate, and what signs in, makes keys and makes tokens."""

    def __init__(self, settings: Settings, opening: OpeningStore) -> None:
        self._settings = settings
        self.passwords = Passwords()
        self.sign_in = SignIn(self.passwords)
        self.tokens = Tokens(self._secret)
        friends, monitor = settings.cors_origins, settings.metrics_key.get_secret_value()
        self.open_gate = OpenGate(opening, friends, monitor)
        self.account_gate = AccountGate(opening, friends, self.tokens, self._secret, monitor)

    @cached_property
    def provider(self) -> Provider | None:
        """The OpenID provider, None in the other modes."""
        settings = self._settings
        if settings.auth_mode != "oidc":
            return None
        return Provider(
            Client(
                issuer=settings.oidc_issuer,
                id=settings.oidc_client_id,
                secret=settings.oidc_client_secret.get_secret_value(),
                redirect_uri=f"{settings.page_url}/api/auth/oidc/callback",
            )
        )

    @property
    def gate(self) -> OpenGate | AccountGate:
        """The gate that every request passes."""
        return self.open_gate if self._settings.auth_mode == "open" else self.account_gate

    @cached_property
    def secret(self) -> bytes:
        """The server's secret. Raises SecretUnreadable."""
        return server_secret(self._settings)

    def forget(self, credential: str = "") -> None:
        """Look up anew whoever has a credential, or everybody: something was revoked or changed."""
        for found in (self.open_gate.people, self.account_gate.found):
            found.drop(credential)

    def _secret(self) -> bytes:
        return self.secret
