"""The school's OpenID provider in a thread of its own, while a browser is sent there and back."""

import asyncio
import threading

from tests.api.accounts.openid_provider import OpenIdProvider, openid_provider

PATIENCE = 10.0


class School:
    """Runs until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open = openid_provider()
        opening = asyncio.run_coroutine_threadsafe(self._open.__aenter__(), self._loop)
        self.provider: OpenIdProvider = opening.result(PATIENCE)
        self.url = self.provider.url

    def close(self) -> None:
        """End the provider and its thread."""
        closing = self._open.__aexit__(None, None, None)
        asyncio.run_coroutine_threadsafe(closing, self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
