"""Draws what `tmux capture-pane -e -N -p` printed, cell by cell: screenshot.py COLUMNSxROWS ANSI PNG

Knows the attributes and the sixteen colours that `cgtune top` uses, and fails on any other sequence, so that nothing is
left out in silence. Blocks (U+2581 to U+2588) are drawn as rectangles: in a terminal they touch, in a font they may not.
"""

import re
import sys
import unicodedata

from PIL import Image, ImageDraw, ImageFont

SIZE = 28
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono"
PAPER, INK = (24, 27, 33), (222, 224, 228)
# Black, red, green, yellow, blue, magenta, cyan, white; then the bright ones.
COLOURS = [
    (24, 27, 33), (224, 108, 117), (152, 195, 121), (232, 190, 92), (97, 155, 224), (198, 120, 221), (94, 190, 205),
    (150, 156, 168), (92, 99, 112), (224, 108, 117), (152, 195, 121), (240, 205, 120), (97, 155, 224), (198, 120, 221),
    (120, 205, 218), (222, 224, 228),
]


class Look:
    """The attributes of a cell."""

    def __init__(self):
        self.fg, self.bg, self.bold, self.under, self.reverse = None, None, False, False, False

    def take(self, codes):
        """One SGR sequence."""
        codes = iter([int(code or 0) for code in codes.split(";")])
        for code in codes:
            if code == 0:
                self.__init__()
            elif code in (1, 4, 7, 22, 24, 27):
                name = {1: "bold", 2: "bold", 4: "under", 7: "reverse"}[code % 20 if code != 22 else 1]
                setattr(self, name, code < 20)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fg = COLOURS[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47:
                self.bg = COLOURS[code - 40]
            elif code in (38, 48) and next(codes) == 5:
                colour = COLOURS[next(codes)]
                self.fg, self.bg = (colour, self.bg) if code == 38 else (self.fg, colour)
            elif code == 39:
                self.fg = None
            elif code == 49:
                self.bg = None
            else:
                sys.exit(f"error: no such attribute here: {code}")


def main():
    size, source, target = sys.argv[1:]
    columns, rows = map(int, size.split("x"))
    regular, bold = (ImageFont.truetype(FONT + name, SIZE) for name in (".ttf", "-Bold.ttf"))
    width, height = round(regular.getlength("M")), round(SIZE * 1.25)
    image = Image.new("RGB", (columns * width + 2 * SIZE, rows * height + 2 * SIZE), PAPER)
    draw = ImageDraw.Draw(image)
    look = Look()
    with open(source, encoding="utf-8") as file:
        lines = file.read().split("\n")[:rows]
    for row, line in enumerate(lines):
        column = 0
        for sgr, other, char in re.findall(r"\x1b\[([0-9;]*)m|(\x1b.)|(.)", line):
            if other:
                sys.exit(f"error: no such sequence here: {other!r}")
            if not char:
                look.take(sgr)
                continue
            cells = 2 if unicodedata.east_asian_width(char) in "WF" else 1
            fg, bg = look.fg or INK, look.bg or PAPER
            if look.reverse:
                fg, bg = bg, fg
            x, y = SIZE + column * width, SIZE + row * height
            draw.rectangle((x, y, x + cells * width - 1, y + height - 1), fill=bg)
            if "\u2581" <= char <= "\u2588":
                eighths = ord(char) - 0x2580
                draw.rectangle((x, y + height - round(height * eighths / 8), x + width - 1, y + height - 1), fill=fg)
            elif char != " ":
                draw.text((x, y + height - SIZE * 0.28), char, font=bold if look.bold else regular, fill=fg, anchor="ls")
            if look.under:
                draw.line((x, y + height - 2, x + cells * width - 1, y + height - 2), fill=fg, width=2)
            column += cells
        if column > columns:
            sys.exit(f"error: line {row + 1} has {column} columns")
    image.quantize(64, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
