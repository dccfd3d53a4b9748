"""What is turned, opened or switched: filter wheel, objective turret, shutter, light sources."""

from __future__ import annotations

from typing import Any

from pymmcore_plus.core import Keyword
from pymmcore_plus.experimental.unicore import GenericDevice, ShutterDevice, StateDevice

from ._bench import Bench
from ._device import OnBench
from ._errors import DeviceError
from ._hardware import LightSource


class Turning(OnBench, StateDevice):
    """A device with numbered positions that have labels; `State` and `Label` always tell the same."""

    def __init__(self, bench: Bench, labels: tuple[str, ...], position: int) -> None:
        super().__init__(dict(enumerate(labels)))
        self.mounted(bench)
        self._position = position
        self._ready_s = 0.0

    def busy(self) -> bool:
        return self.bench.clock.is_before(self._ready_s)

    def get_state(self) -> int:
        return self._position

    def set_property_value(self, prop_name: str, value: Any) -> None:
        """As that of every device; setting one of `State` and `Label` sets, and tells, both."""
        if prop_name not in (Keyword.State, Keyword.Label):
            super().set_property_value(prop_name, value)
            return
        before = self._position
        if prop_name == Keyword.Label:
            self._check(prop_name, value)
            value = self._label_to_state[str(value)]
        super().set_property_value(Keyword.State, value)
        if self._position != before:
            self.tell(Keyword.Label.value, self._state_to_label[self._position])

    def set_position_or_label(self, pos_or_label: int | str) -> None:
        self.set_property_value(Keyword.Label if isinstance(pos_or_label, str) else Keyword.State, pos_or_label)

    def assign_label_to_position(self, pos: int, label: str) -> None:
        """Another label for a position. Raises DeviceError for a position or label that cannot be."""
        if pos not in self._state_to_label:
            known = ", ".join(map(str, self._state_to_label))
            raise DeviceError(f"found position {pos} of {self.get_label()}, expected one of {known}: choose one")
        if self._label_to_state.get(label, pos) != pos:
            raise DeviceError(
                f"found the label {label!r} twice for {self.get_label()}, expected it once: choose another"
            )
        del self._label_to_state[self._state_to_label[pos]]
        super().assign_label_to_position(pos, label)

    def _set_state(self, state: int) -> None:
        # What the base does here, telling and setting the label, is done above.
        self.set_state(state)


class FilterWheel(Turning):
    """Emission filters before the camera; dark while it turns."""

    def __init__(self, bench: Bench) -> None:
        filters = bench.hardware.filters
        super().__init__(bench, tuple(one.label for one in filters), filters.index(bench.emission))

    def set_state(self, position: int) -> None:
        self._ready_s = self.bench.turn_wheel(self.get_label(), position)
        self._position = position


class ObjectiveTurret(Turning):
    """Objectives; the pixel size in the sample follows the one in use. Dark while it turns."""

    def __init__(self, bench: Bench) -> None:
        objectives = bench.hardware.objectives
        super().__init__(bench, tuple(one.label for one in objectives), objectives.index(bench.objective))

    def set_state(self, position: int) -> None:
        self._ready_s = self.bench.turn_turret(self.get_label(), position)
        self._position = position


class Shutter(OnBench, ShutterDevice):
    """The shutter before all light sources. Closed, every frame is dark."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.mounted(bench)
        self._ready_s = 0.0
        self.register_property(
            Keyword.State.value,
            property_type=int,
            default_value=0,
            allowed_values=(0, 1),
            getter=lambda _: int(self.get_open()),
            setter=lambda _, value: self.set_open(bool(value)),
        )

    def busy(self) -> bool:
        return self.bench.clock.is_before(self._ready_s)

    def get_open(self) -> bool:
        return self.bench.lights.shutter_open

    def set_open(self, open: bool) -> None:
        self._ready_s = self.bench.open_shutter(self.get_label(), bool(open))


class Light(OnBench, GenericDevice):
    """One light source: `State` (0 off, 1 on), `Power_mW` at the sample, `Wavelength_nm`."""

    def __init__(self, bench: Bench, source: LightSource) -> None:
        super().__init__()
        self.mounted(bench)
        name, lights = source.label, bench.lights
        self.register_property(
            Keyword.State.value,
            property_type=int,
            default_value=0,
            allowed_values=(0, 1),
            getter=lambda _: int(lights.is_on(name)),
            setter=lambda _, value: bench.switch(name, bool(value)),
        )
        self.register_property(
            "Power_mW",
            property_type=float,
            default_value=0.0,
            limits=(0.0, source.max_power_mw),
            getter=lambda _: lights.power_mw(name),
            setter=lambda _, value: bench.set_power(name, float(value)),
        )
        self.register_property(
            "Wavelength_nm",
            property_type=float,
            is_read_only=True,
            getter=lambda _: source.wavelength_nm,
        )
