"""Server-sent events: cut a byte stream into frames, and write frames.

Source: WHATWG HTML, "Server-sent events". Knows nothing of what the data means.
"""

MAX_FRAME_BYTES = 1_048_576
PING = b": ping\n\n"


class FrameTooLarge(ValueError):
    """A frame did not end within MAX_FRAME_BYTES."""


class FrameReader:
    """Collects bytes as they arrive; `feed` returns the data of each frame that is complete."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        r"""Return the joined `data` lines of each complete frame; frames without data are left out.

        Lines may end in \n or \r\n. Raises FrameTooLarge.
        """
        if not self._rest and _is_one_frame(chunk):  # what engines send, nearly always
            return [chunk[6:-2]]
        buffer = self._rest + chunk
        if b"\r" in buffer:
            # A \r at the very end may be half of a \r\n: it stays for the next chunk.
            end = -1 if buffer.endswith(b"\r") else len(buffer)
            buffer = buffer[:end].replace(b"\r\n", b"\n") + buffer[end:]
        *frames, self._rest = buffer.split(b"\n\n")
        if len(self._rest) > MAX_FRAME_BYTES:
            raise FrameTooLarge
        return [data for frame in frames if (data := _data(frame)) is not None]

    @property
    def incomplete(self) -> bool:
        """Tell whether bytes of an unfinished frame are left over."""
        return bool(self._rest.strip())


def _is_one_frame(chunk: bytes) -> bool:
    # Two line feeds in all are the blank line's own.
    return chunk.count(b"\n") == 2 and chunk.endswith(b"\n\n") and chunk.startswith(b"data: ")  # noqa: PLR2004


def _data(frame: bytes) -> bytes | None:
    lines = [
        line[5:].removeprefix(b" ") for line in frame.split(b"\n") if line.startswith(b"data:")
    ]
    return b"\n".join(lines) if lines else None


def event(number: int, name: bytes, data: bytes) -> bytes:
    """Write one event with an id; `data` is one line of JSON."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name, data)


def message(data: bytes) -> bytes:
    """Write one unnamed event, as OpenAI's protocol uses them."""
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(data.splitlines())
    return b"data: %b\n\n" % data
