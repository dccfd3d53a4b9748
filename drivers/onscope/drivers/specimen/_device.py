"""What all devices of the microscope have in common: the bench, and property values as a core sends them."""

from __future__ import annotations

import threading
from typing import Any, Self

from pymmcore_plus.core import PropertyType
from pymmcore_plus.experimental.unicore import Device

from ._bench import Bench
from ._errors import DeviceError


class OnBench(Device):
    """A device of pymmcore-plus that stands on a bench; the first base of each of ours.

    A core sends values as text as often as numbers: they are brought to the property's own type before they are
    checked. A property that was set to something else is told to whoever listens. The device's lock is one that its
    own thread may take again, and what happened while it was held is told when it is free: listeners ask devices back.
    """

    bench: Bench

    def mounted(self, bench: Bench) -> None:
        """Called once by the constructor of each device, after those of its bases."""
        self.bench = bench
        self._lock: Any = threading.RLock()
        self._held = 0
        self._untold: list[tuple[str, tuple[object, ...]]] = []

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._held += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._held -= 1
        untold = []
        if not self._held:
            untold, self._untold = self._untold, []
        self._lock.release()
        for signal, args in untold:
            self.announce(signal, *args)

    def description(self) -> str:
        """The class' first sentence."""
        return (self.__doc__ or "").partition("\n")[0]

    def set_property_value(self, prop_name: str, value: Any) -> None:
        """Called by the core, in the thread of whoever sets it. Raises DeviceError for a value that does not fit."""
        meant = self._check(prop_name, value)
        before = self.get_property_value(prop_name)
        super().set_property_value(prop_name, meant)
        after = self.get_property_value(prop_name)
        if after != before:
            self.tell(prop_name, after)

    def tell(self, prop_name: str, value: object) -> None:
        """A property has a new value: to the core's listeners, as text."""
        self.announce("propertyChanged", str(prop_name), text(value))

    def announce(self, signal: str, *args: object) -> None:
        """A signal of the core with this device's label, as soon as nobody holds the device."""
        if self._held:
            self._untold.append((signal, args))
        elif self._core_proxy_ is not None:
            getattr(self.core.events, signal).emit(self.get_label(), *args)

    def _get_prop_or_raise(self, prop_name: str) -> Any:
        # What the base asks for each property; its KeyError is no error of a core.
        if not self.has_property(prop_name):
            raise DeviceError(
                f"found no property {prop_name!r} of {self.get_label()}, expected one of "
                f"{', '.join(map(str, self.get_property_names()))}: name one that is there"
            )
        return super()._get_prop_or_raise(prop_name)

    def _check(self, prop_name: str, value: Any) -> Any:
        """The value in the property's own type. Raises DeviceError when it does not fit."""
        info = self.get_property_info(prop_name)
        if self.is_property_read_only(prop_name):
            raise DeviceError(
                f"found {prop_name} of {self.get_label()} set to {value!r}, expected it to be read only: leave it"
            )
        meant = self._meant(prop_name, value)
        if info.allowed_values and meant not in info.allowed_values:
            known = ", ".join(map(str, info.allowed_values))
            raise DeviceError(
                f"found {prop_name} = {value!r} for {self.get_label()}, expected one of {known}: choose one"
            )
        if info.limits and not info.limits[0] <= meant <= info.limits[1]:
            raise DeviceError(
                f"found {prop_name} = {value!r} for {self.get_label()}, expected {info.limits[0]:g} to "
                f"{info.limits[1]:g}: stay within its range"
            )
        return meant

    def _meant(self, prop_name: str, value: Any) -> Any:
        info = self.get_property_info(prop_name)
        for allowed in info.allowed_values or ():
            if text(allowed) == text(value):
                return allowed
        if info.type in (PropertyType.Float, PropertyType.Integer):
            try:
                number = float(value)
                return int(number) if info.type == PropertyType.Integer and number.is_integer() else number
            except (TypeError, ValueError):
                raise DeviceError(
                    f"found {prop_name} = {value!r} for {self.get_label()}, expected a number: give one"
                ) from None
        return text(value)


def text(value: object) -> str:
    """A property's value as Micro-Manager writes it: no 5.0 for 5, 1 and 0 for true and false."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)
