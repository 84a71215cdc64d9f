"""The bill: what each stage of a run took, and what that costs on this machine."""

from dataclasses import dataclass

from pipeline.machine import Machine


@dataclass(frozen=True, slots=True)
class Item:
    """One stage or task of a run."""

    name: str
    outcome: str  # ran, restored, skipped, …
    seconds: float
    expected_seconds: float | None  # the forecast; None where it never ran before
    cost: float | None  # in `currency`; None where machine.yaml names no price
    currency: str

    def row(self) -> dict[str, str]:
        """For tables."""
        return {
            "stage": self.name,
            "outcome": self.outcome,
            "time": duration(self.seconds),
            "forecast": duration(self.expected_seconds),
            "cost": "" if self.cost is None else f"{self.cost:.4f} {self.currency}",
        }


def item(
    machine: Machine, name: str, outcome: str, seconds: float, expected: float | None = None
) -> Item:
    """An item of the bill, at the machine's price."""
    price = machine.price_per_hour
    cost = seconds / 3600 * price if price else None
    return Item(name, outcome, seconds, expected, cost, machine.currency)


def total(items: list[Item], machine: Machine) -> Item:
    """The last line."""
    return item(machine, "total", "", sum(one.seconds for one in items))


def duration(seconds: float | None) -> str:
    """Seconds for people: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
