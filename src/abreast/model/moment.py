"""Points in time that can be compared although clocks are set, machines sleep and start again.

Alone in a module because every supervisor starts by importing it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """A point in time.

    `wall` is Unix seconds, for people and for what other programs have written down. `tick` is for
    measuring: the id of the machine's boot and the seconds since then, asleep or awake; "" where it
    is not known.
    """

    wall: float
    tick: str = ""

    def since(self, earlier: "Moment") -> float:
        """Return the seconds that have passed, never less than 0.

        Exact when both were taken in one boot; else as far as the clock on the wall can be trusted.
        """
        boot, _, seconds = self.tick.partition(" ")
        boot_then, _, seconds_then = earlier.tick.partition(" ")
        if boot and boot == boot_then:
            return max(0.0, float(seconds) - float(seconds_then))
        return max(0.0, self.wall - earlier.wall)
