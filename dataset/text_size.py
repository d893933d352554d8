"""How large a text is, without any font file.

Font files differ from machine to machine, and with them every measured width; the same drawing must give the same
tensors everywhere. So widths come from one small table of advance widths in units of the cap height, rounded from the
fonts of technical drawings (simplex, ISOCP, Arial) and checked against the widths that CAD programs leave in the files
with centered texts: of the common simplex texts half come out within 10 %.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from ezdxf.entities import MText, Text
from ezdxf.lldxf.encoding import decode_dxf_unicode, decode_mif_to_unicode
from ezdxf.tools.text import fast_plain_mtext, plain_text

from dataset.plane import Point

NARROW = frozenset("iIjl|!.,:;'`")
SLIM = frozenset(' ()[]{}/\\-frt"1°')
BROAD = frozenset("MWmw@%&—")
DESCENDING = frozenset("gjpqyQ,;()[]{}|_@")
DESCENT = 0.3  # of the cap height
MAX_CHARACTERS = 20_000  # of a text are measured: a TEXT may have 2,049, and ezdxf's time grows with the square
LINE_STEP = 5.0 / 3.0  # from baseline to baseline, in cap heights, at a line spacing factor of 1
BACKWARD, UPSIDE_DOWN = 2, 4  # flags of a TEXT

# an absolute or relative \H in front of the first character sets the height of the whole text
# (possessive, since there is nothing to try again: else many commands with spaces between them take for ever)
_LEADING_HEIGHT = re.compile(r"^(?:\\[ACFfQTWpLlOoKk][^;\\{}]*+;?|[{\s])*+\\H([0-9.]+)(x?);")


@lru_cache(maxsize=4096)
def advance(character: str) -> float:
    """The width of a character including its gap, in cap heights."""
    if character in NARROW:
        return 0.4
    if character in SLIM:
        return 0.5
    if character in BROAD:
        return 1.2
    if unicodedata.east_asian_width(character) in "WF":
        return 1.4
    return 1.0 if character.isupper() else 0.88


def line_width(content: str) -> float:
    """The width of one line of text, in cap heights."""
    return sum(map(advance, content))


def unescaped(content: str) -> str:
    """A text with the characters that its file's encoding lacks, ``\\U+2300`` or ``\\M+5D2FD``, as they are shown.

    ezdxf decodes these in recover mode only.
    """
    if "+" not in content:
        return content
    return decode_mif_to_unicode(decode_dxf_unicode(content))


@dataclass(frozen=True)
class TextFrame:
    """A text in its own coordinates (x along the baseline, origin at the placement point), in drawing units."""

    left: float
    bottom: float
    width: float
    height: float  # of the frame
    cap_height: float

    @property
    def top(self) -> float:
        return self.bottom + self.height

    def corners(self) -> tuple[Point, Point, Point, Point]:
        right, top = self.left + self.width, self.top
        return (self.left, self.bottom), (right, self.bottom), (right, top), (self.left, top)

    def mirrored(self, in_x: bool, in_y: bool) -> TextFrame:
        """The frame of a readable text that covers what this one covers when mirrored at its placement point."""
        left = -self.left - self.width if in_x else self.left
        bottom = -self.top if in_y else self.bottom
        return replace(self, left=left, bottom=bottom)


def is_cut_short(entity: Text | MText) -> bool:
    """Whether a text is so long that only its beginning is measured."""
    return len(entity.text if isinstance(entity, MText) else entity.dxf.text) > MAX_CHARACTERS


def frame_text(text: Text) -> TextFrame:
    """The frame of a TEXT or ATTRIB around its placement point (`insert` if left-aligned, else `align_point`)."""
    dxf = text.dxf
    cap_height = abs(dxf.get_default("height")) or 1.0
    content = unescaped(plain_text(dxf.text[:MAX_CHARACTERS]))
    width = line_width(content) * cap_height * abs(dxf.get_default("width") or 1.0)
    descent = DESCENT * cap_height if DESCENDING.intersection(content) else 0.0
    halign, valign = dxf.get_default("halign"), dxf.get_default("valign")
    if halign in (3, 5) and dxf.hasattr("align_point"):  # ALIGNED, FIT: stretched between two points
        width = math.hypot(dxf.align_point.x - dxf.insert.x, dxf.align_point.y - dxf.insert.y)
        return TextFrame(0.0, -descent, width, cap_height + descent, cap_height)
    left = {1: -width / 2.0, 2: -width, 4: -width / 2.0}.get(halign, 0.0)
    baseline = {1: DESCENT * cap_height, 2: -cap_height / 2.0, 3: -cap_height}.get(valign, 0.0)
    if halign == 4:  # MIDDLE centers in both directions, whatever valign says
        baseline = -cap_height / 2.0
    frame = TextFrame(left, baseline - descent, width, cap_height + descent, cap_height)
    flags = dxf.get_default("text_generation_flag")
    return frame.mirrored(in_x=bool(flags & BACKWARD), in_y=bool(flags & UPSIDE_DOWN))


def frame_mtext(mtext: MText) -> TextFrame:
    """The frame of an MTEXT around its insertion point."""
    dxf = mtext.dxf
    return frame_lines(
        mtext.text,
        cap_height=abs(dxf.get_default("char_height")) or 1.0,
        column_width=dxf.get("width", 0.0),
        spacing=dxf.get_default("line_spacing_factor"),
        attachment=dxf.get_default("attachment_point"),
    )


def frame_lines(content: str, cap_height: float, column_width: float, spacing: float, attachment: int) -> TextFrame:
    """The frame of MTEXT content: its lines, wrapped at the column width where they have spaces.

    Args:
        content: with inline codes; of these only a leading ``\\H`` changes the size.
        attachment: 1..9, top left to bottom right.
    """
    content = unescaped(content[:MAX_CHARACTERS])
    leading = _LEADING_HEIGHT.match(content)
    if leading:
        factor = _number(leading.group(1))
        cap_height = cap_height * factor if leading.group(2) else factor or cap_height
    widths = [
        width * cap_height
        for line in fast_plain_mtext(content, split=True)
        for width in _wrapped(line, column_width / cap_height)
    ]
    width = max(widths, default=0.0)
    height = cap_height * (1.0 + (max(len(widths), 1) - 1) * LINE_STEP * spacing)
    column, row = (attachment - 1) % 3, (attachment - 1) // 3
    return TextFrame(-width * column / 2.0, -height * (2 - row) / 2.0, width, height, cap_height)


def _wrapped(line: str, column_width: float) -> list[float]:
    """The widths of the lines that one line becomes in a column, in cap heights; 0 means no limit."""
    whole = line_width(line)
    if column_width <= 0.0 or whole <= column_width * 1.05 or " " not in line:  # our widths are estimates
        return [whole]
    widths = [0.0]
    for word in line.split(" "):
        step = line_width(word)
        if widths[-1] and widths[-1] + advance(" ") + step > column_width:
            widths.append(step)
        else:
            widths[-1] += step + (advance(" ") if widths[-1] else 0.0)
    return widths


def _number(digits: str) -> float:
    try:
        return float(digits)
    except ValueError:  # "1.2.3"
        return 1.0
