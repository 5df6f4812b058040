"""A service for the supervisor's tests, which fails in whatever way its flags say.

Run as a script, without site-packages, so that it starts in a few hundredths of a second.
"""

import argparse
import os
import signal
import socket
import sys
from itertools import cycle


def main() -> None:
    """Speak, then answer health questions until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--say", action="append", default=[], help="a line to print at the start")
    parser.add_argument("--flood", type=int, default=0, help="numbered lines to print")
    parser.add_argument("--exit", type=int, help="end with this status instead of serving")
    parser.add_argument("--port", type=int)
    parser.add_argument("--statuses", default="200", help="answers, over and over")
    parser.add_argument("--nonsense", action="store_true", help="answer in another protocol")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--child", action="store_true", help="have a child that is deaf")
    parser.add_argument("--stray", action="store_true", help="have one in a session of its own")
    parser.add_argument("--held", action="store_true", help="go on when standard input ends")
    args = parser.parse_args()
    speak(args)
    if args.held:
        sys.stdin.read()
    if args.exit is not None:
        sys.exit(args.exit)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if args.deaf else farewell)
    if args.child or args.stray:
        give_birth(stray=args.stray)
    if args.port is None:
        signal.pause()
    else:
        serve(args.port, args.statuses.split(","), nonsense=args.nonsense)


def speak(args: argparse.Namespace) -> None:
    """Print what was asked for; `<long>` and `<bytes>` stand for what no shell could pass."""
    for line in args.say:
        if line == "<long>":
            print("x" * 1_000_000)
        elif line == "<bytes>":
            sys.stdout.flush()
            os.write(1, b"caf\xe9 \xff\n")
        else:
            print(line)
    for number in range(args.flood):
        print(f"line {number:06}")
    sys.stdout.flush()


def farewell(*_: object) -> None:
    """End as a well-behaved service does; `print` may not be entered from inside itself."""
    os.write(1, b"farewell\n")
    os._exit(0)


def give_birth(*, stray: bool) -> None:
    """Leave a child that ignores SIGTERM and holds our output open."""
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if stray:
            os.setsid()
        print(f"child {os.getpid()}", flush=True)
        while True:
            signal.pause()


def serve(port: int, statuses: list[str], *, nonsense: bool) -> None:
    """Answer every connection with the next status."""
    with socket.create_server(("127.0.0.1", port)) as server:
        for status in cycle(statuses):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                http = f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                connection.sendall(b"220 mail ready\r\n" if nonsense else http.encode())
                print(f"answered {status}", flush=True)


if __name__ == "__main__":
    main()
