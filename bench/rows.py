"""Rows of the table: the measured value, its reference, its bounds, and whether it meets them."""

import dataclasses


@dataclasses.dataclass
class Row:
    group: str
    what: str
    value: float
    unit: str
    beside: str = ""  # the name of the reference
    reference: float | None = None
    must: tuple | None = None  # ("<=" | ">=", bound) of the ratio if there is a reference, else of the value
    reach: tuple | None = None

    @property
    def ratio(self):
        return self.value / self.reference if self.reference else None

    def holds(self, target):
        judged = self.ratio if self.reference else self.value
        return judged <= target[1] if target[0] == "<=" else judged >= target[1]

    @property
    def met(self):
        """'' without a bound, 'no', 'must' or 'reach'."""
        if self.must is None:
            return ""
        if not self.holds(self.must):
            return "no"
        return "reach" if self.reach and self.holds(self.reach) else "must"

    def as_json(self):
        fields = dataclasses.asdict(self)
        fields["ratio"] = self.ratio and round(self.ratio, 3)
        fields["met"] = self.met
        return fields


def at_most(bound):
    return ("<=", bound)


def at_least(bound):
    return (">=", bound)


def number(value, unit=""):
    text = f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{text.removesuffix('.00').removesuffix('.0')} {unit}".strip()


def target(asked):
    return f"{asked[0]} {asked[1]:g}" if asked else ""


def table(rows):
    """The rows as text, with a heading for each group."""
    lines = []
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            lines.append(
                f"\n{group:<46}{'hob':>14}{'beside':>14}{'ratio':>8}  {'must':<8} {'reach':<8} {'met':<6} beside what"
            )
        reference = number(row.reference, row.unit) if row.reference else ""
        ratio = f"{row.ratio:.2f}" if row.reference else ""
        lines.append(
            f"  {row.what:<44}{number(row.value, row.unit):>14}{reference:>14}{ratio:>8}  "
            f"{target(row.must):<8} {target(row.reach):<8} {row.met:<6} {row.beside}".rstrip()
        )
    return "\n".join(lines).lstrip("\n")
