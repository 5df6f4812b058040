"""Frames are the same however the bytes arrive."""

import random

import pytest

from tiza.api import sse
from tiza.api.sse import MAX_FRAME_BYTES, FrameReader, FrameTooLarge

FRAMES = {
    "one": (b"data: a\n\n", [b"a"]),
    "two": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "only one space is left out": (b"data:  a\n\n", [b" a"]),
    "several lines": (b"data: a\ndata: b\n\n", [b"a\nb"]),
    "other fields": (b"id: 1\nevent: x\ndata: a\nretry: 5\n\n", [b"a"]),
    "comment": (b": hello\n\ndata: a\n\n: bye\n\n", [b"a"]),
    "comment within": (b": hello\ndata: a\n\n", [b"a"]),
    "no data": (b"event: x\n\ndata: a\n\n", [b"a"]),
    "empty data": (b"data:\n\ndata: \n\n", [b"", b""]),
    "blank lines": (b"\n\n\n\ndata: a\n\n\n\n", [b"a"]),
    "carriage returns": (b"data: a\r\n\r\ndata: b\r\ndata: c\r\n\r\n", [b"a", b"b\nc"]),
    "mixed line ends": (b"data: a\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "like a field": (b"database: x\ndata: a\n\n", [b"a"]),
    "characters of several bytes": ("data: ¡ñ🖍!\n\n".encode(), ["¡ñ🖍!".encode()]),
    "one frame and a piece": (b"data: a\n\ndata: b", [b"a"]),
}
by_stream = pytest.mark.parametrize(("stream", "frames"), FRAMES.values(), ids=FRAMES.keys())


def read(*chunks: bytes) -> list[bytes]:
    """Return what a reader makes of these chunks."""
    reader = FrameReader()
    return [frame for chunk in chunks for frame in reader.feed(chunk)]


@by_stream
def test_frames_are_the_same_when_bytes_arrive_at_once(stream: bytes, frames: list[bytes]) -> None:
    """A frame is the `data` lines before a blank line (WHATWG HTML, 9.2.6)."""
    assert read(stream) == frames


@by_stream
def test_frames_are_the_same_when_bytes_arrive_one_by_one(
    stream: bytes, frames: list[bytes]
) -> None:
    """No boundary between packets means anything."""
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == frames


@by_stream
def test_frames_are_the_same_when_a_stream_is_cut_anywhere(
    stream: bytes, frames: list[bytes]
) -> None:
    """Every single cut, between the two bytes of a line end too."""
    for cut in range(len(stream) + 1):
        assert read(stream[:cut], stream[cut:]) == frames


def test_frames_are_the_same_when_a_stream_is_cut_at_random() -> None:
    """Many frames of every kind, in pieces of every size."""
    chance = random.Random(20261122)  # noqa: S311  # repeatable, not secret
    kinds = [kind for kind in FRAMES.values() if kind[0].endswith(b"\n\n")]
    for _ in range(300):
        chosen = chance.choices(kinds, k=chance.randint(1, 8))
        stream = b"".join(stream for stream, _ in chosen)
        cuts = sorted(chance.choices(range(len(stream) + 1), k=chance.randint(0, 12)))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert read(*pieces) == [frame for _, frames in chosen for frame in frames]


@pytest.mark.parametrize(
    ("stream", "incomplete"),
    [
        (b"", False),
        (b"data: a\n\n", False),
        (b"data: a\r\n\r\n", False),
        (b"data: a\n\n\n", False),
        (b"data: a\n", True),
        (b"data: a\r\n\r", True),
        (b"data", True),
        (b": ping", True),
    ],
)
def test_reader_is_incomplete_when_a_frame_was_begun(stream: bytes, incomplete: bool) -> None:
    """Left-over bytes that are not blank belong to a frame that was cut."""
    reader = FrameReader()
    reader.feed(stream)
    assert reader.incomplete is incomplete


def test_reader_gives_up_when_a_frame_does_not_end() -> None:
    """Memory is bounded, at the size that is allowed and not before."""
    reader = FrameReader()
    assert reader.feed(b"data: " + b"x" * (MAX_FRAME_BYTES - 6)) == []
    with pytest.raises(FrameTooLarge):
        reader.feed(b"x")


def test_reader_takes_a_frame_when_it_is_as_large_as_may_be() -> None:
    """The bound itself is allowed, in many pieces."""
    data = b"x" * (MAX_FRAME_BYTES - 6)
    stream = b"data: " + data + b"\n\n"
    assert read(*(stream[i : i + 65_536] for i in range(0, len(stream), 65_536))) == [data]


@pytest.mark.parametrize("data", [b"{}", b"a\nb", b"a\r\nb", b"a\rb", "¡ñ🖍!".encode(), b""])
def test_message_is_one_frame_when_it_is_read_again(data: bytes) -> None:
    """What is written is read as one frame, whatever line ends the data has."""
    [frame] = read(sse.message(data))
    assert frame == data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def test_event_has_id_name_and_data_when_it_is_written() -> None:
    """The form that the contract shows."""
    assert sse.event(7, b"token", b'{"text":"a"}') == (
        b'id: 7\nevent: token\ndata: {"text":"a"}\n\n'
    )
    assert read(sse.event(7, b"token", b"{}"), sse.PING) == [b"{}"]
