"""stdin, stdout and stderr: no failure of theirs stops a takeover.

A reader may go (``| head -1``) or stop reading (``| less``, a stopped terminal), the terminal may
hang up, a stream may have been closed from the beginning. None of it may raise into a run, make it
wait or change its exit code.

Nothing here knows what is written, and so nothing reaches a terminal raw: a line's own control
characters are made visible (a value with a newline in it forges no line), and what anybody else
writes to stdout or stderr (the parser of the command line, a warning) passes the same filter.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

from route53_takeover.base.escaping import escape_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO


_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


class Sink(Protocol):
    """Where lines go: a text file, or a `Background` in front of one."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


def open_all() -> None:
    """Gives a process that was started without its three streams the null device in their place.

    Otherwise the next file it opens, such as the journal, would be its stderr, and take in
    whatever anybody writes there. What a stream's encoding cannot say is escaped.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)
    # Python has None for a stream that was closed when it began
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or _writing(1)
    sys.stderr = sys.stderr or _writing(2)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a test's own object
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout, sys.stderr = _plain(sys.stdout), _plain(sys.stderr)


def _writing(number: int) -> TextIO:
    return os.fdopen(number, "w", encoding="utf-8", closefd=False)


class Plain:
    """A text stream that takes nothing but printable characters and newlines.

    It has no ``buffer``: there is no way around it but the descriptor.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes the text with its control characters made visible."""
        return self._stream.write(escape_control(text, keep="\n"))

    def write_styled(self, text: str) -> int:
        """The same, for a text in which colours are set: of all sequences only they pass."""
        parts = (
            part if _COLOUR.fullmatch(part) else escape_control(part, keep="\n")
            for part in _COLOUR.split(text)
        )
        return self._stream.write("".join(parts))

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes the lines one after the other, as a file does."""
        for line in lines:
            self.write(line)

    def write_spans(self, lines: Iterable[StyledLine]) -> None:
        """Writes lines with colours; only the spans' texts are anyone else's."""
        self._stream.write("".join(map(_coloured, lines)))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- the stream's own
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)


def _plain(stream: TextIO) -> TextIO:
    return cast("TextIO", Plain(stream))


def write_line(text: str, file: Sink) -> None:
    """Writes one line, whatever is in the text; JSON stays the JSON that it is.

    A reader who has gone does not matter to a takeover.
    """
    write_lines([text], file)


def write_lines(lines: Iterable[str], file: Sink) -> None:
    """Writes lines of our own making at once: the only line breaks are between them."""
    try:
        file.write("".join(f"{escape_control(line)}\n" for line in lines))
        file.flush()
    except (OSError, ValueError):
        return


def width_of(file: Sink) -> int | None:
    """The columns of a terminal; ``None`` where it is none: nothing is to be wrapped there."""
    try:
        return os.get_terminal_size(file.fileno()).columns or None  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None


def takes_styles(file: Sink) -> bool:
    """Whether it is a terminal with colours, and they are wanted."""
    is_dumb = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    return width_of(file) is not None and not is_dumb and not os.environ.get("NO_COLOR")


def write_styled_lines(lines: Iterable[str], file: Sink) -> None:
    """As `write_lines`, where colours are set: who sets them has escaped everything else."""
    if not isinstance(file, Plain):
        write_lines(lines, file)
        return
    try:
        file.write_styled("".join(f"{line}\n" for line in lines))
        file.flush()
    except (OSError, ValueError):
        return


class Span(NamedTuple):
    """A part of a line. ``style``: the parameters of SGR, such as `RED`; empty: as it comes."""

    text: str
    style: str = ""


BOLD, DIM = "1", "2"
RED, GREEN, YELLOW, BLUE = "1;31", "32", "33", "34"
StyledLine: TypeAlias = "Sequence[Span]"


def write_spans(lines: Iterable[StyledLine], file: Sink) -> None:
    """Writes lines of our own making, with their colours where the terminal has some."""
    if isinstance(file, Background):
        file.write_spans(lines)
        return
    if not (isinstance(file, Plain) and takes_styles(file)):
        write_lines(("".join(span.text for span in line) for line in lines), file)
        return
    with suppress(OSError, ValueError):
        file.write_spans(lines)
        file.flush()


def _coloured(line: StyledLine) -> str:
    texts = ((escape_control(span.text), span.style) for span in line)
    return "".join(f"\x1b[{how}m{text}\x1b[0m" if how else text for text, how in texts) + "\n"


def finish() -> None:
    """Flushes stdout and stderr for good; what cannot be written is dropped.

    Left to the interpreter, a failure here would become an exit code of 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)
                stream.flush()


class Background:
    """Writes to a file from a thread of its own, so that a slow reader delays nothing."""

    def __init__(self, file: Sink) -> None:
        self._file = file
        self._texts: SimpleQueue[str | Sequence[StyledLine] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Takes a text and returns at once."""
        self._texts.put(text)

    def write_spans(self, lines: Iterable[StyledLine]) -> None:
        """Takes lines, as `route53_takeover.base.stdio.write_spans` does, and returns at once."""
        self._texts.put(tuple(lines))

    def flush(self) -> None:
        """Does nothing: every text is flushed as it is written."""

    def close(self, timeout: float | None = None) -> bool:
        """Waits until all of it is written; false where the time ran out before."""
        self._texts.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (text := self._texts.get()) is not None:
            if not isinstance(text, str):
                write_spans(text, self._file)
                continue
            with suppress(OSError, ValueError):
                self._file.write(text)
                self._file.flush()
