"""A sheet that is mostly a table: the pins of a connector or a chip."""

from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rectangle
from dataset.generator.kind import Kind, Numbers
from dataset.generator.style import Cycle

SIGNALS = ("VDD", "GND", "SCL", "SDA", "RESET", "CLK", "D0", "D1", "D2", "D3", "CS", "MISO", "MOSI", "INT", "NC", "ADC")


class PinTable(Kind):
    """The pin assignment of a connector or a chip: two columns of pins beside a sketch of the body."""

    name = "pin_table"
    shape, shown_in = ("body",), ("sketch",)
    title_en, title_zh = "PIN ASSIGNMENT", "引脚定义表"
    plans = (
        (("sketch", "table"), ("notes", "")),
        (("table",), ("sketch",)),
        (("table", "sketch"),),
    )
    notes = (
        "NC PINS MUST BE LEFT OPEN",
        "ALL SIGNALS 3.3V LVCMOS UNLESS NOTED",
        "PIN 1 MARKED BY CHAMFER",
        "UNUSED INPUTS TIED TO GND",
        "SEE WIRING LIST 4410-07",
    )
    materials = ("FR4", "LCP", "PBT-GF30")
    stems = ("PIN_LIST_{count}P_{serial}_Rev{rev}", "引脚表（{count}P）-{serial}  Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.columns = cycle.pick("columns", (("PIN", "NAME", "TYPE"), ("NO.", "SIGNAL", "DIR", "LEVEL", "REMARK")))
        design.body = cycle.pick("body", ("square", "two rows"))
        design.pitch = rng.choice((1.27, 2.0, 2.54))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        count = rng.choice((16, 20, 24, 28, 32))
        names = [rng.choice(SIGNALS) + rng.choice(("", "", "_A", "_B")) for _ in range(count)]
        kinds = [rng.choice(("I", "O", "I/O", "PWR")) for _ in range(count)]
        return Numbers(count=count, names=names, kinds=kinds, pitch=design.pitch)

    def size(self, part: Numbers) -> str:
        return f"{part.count}P"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        half = part.count // 2
        rows = [design.columns * 2]
        for i in range(half):
            rows.append(self.cells(part, design, i) + self.cells(part, design, i + half))
        return rows

    def cells(self, part: Numbers, design: Numbers, i: int) -> tuple[str, ...]:
        level = "5V" if part.kinds[i] == "PWR" else "3.3V"
        return (str(i + 1), part.names[i], part.kinds[i], level, "")[: len(design.columns)]

    def view_sketch(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("sketch", "PIN LOCATION")
        half, pitch = part.count // 2, part.pitch
        length, depth = (half + 1) * pitch, pitch * (6 if design.body == "square" else 3.5)
        view.contour(chamfered((0.0, 0.0), depth, length, pitch / 2, all_corners=False))
        pin = pen.block("PIN", lambda v: (v.poly(rectangle((0, 0), 1.0, 0.45)), v.line((-0.25, -0.2), (-0.25, 0.2))))
        for i in range(part.count):
            side = -1 if i < half else 1
            row = i if i < half else part.count - 1 - i
            y = (half - 1) * pitch / 2 - row * pitch
            x = side * (depth / 2 + pitch / 4)
            view.insert(pin, (x, y), pitch / 2 * -side, pitch / 2, feature="pad")
            view.text((x + side * pitch * 0.5, y), str(i + 1), 2.0, "MIDDLE_LEFT" if side > 0 else "MIDDLE_RIGHT")
        top = (half - 1) * pitch / 2
        reach = depth / 2 + pitch / 2
        view.vdim((-reach, top), (-reach, top - pitch), -12)
        view.hdim((-depth / 2, length / 2), (depth / 2, length / 2), 8)
        view.vdim((reach, top), (reach, -top), 14)
        return view
