"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unet:
    """A U-Net of `features` base features on frames of `size` x `size`."""

    features: int
    size: int


@dataclass(frozen=True)
class Plan:
    """Sizes in pixels. In each of `rounds` every one of those compared has a turn of `turn` frames."""

    unets: tuple[Unet, ...] = (Unet(8, 512), Unet(32, 512))
    unet_rounds: int = 12
    unet_turn: int = 4
    host_sizes: tuple[int, ...] = (512, 2048)
    host_rounds: int = 12
    host_turn: int = 12
    busy_rounds: int = 4
    merged_size: int = 512
    merged_rounds: int = 12
    merged_turn: int = 6
    engines: Unet = Unet(32, 512)
    tiles: tuple[int, ...] = (256, 128)
    tiled: Unet = Unet(8, 1024)


FULL = Plan()
QUICK = Plan(
    unets=(Unet(8, 512),),
    unet_rounds=4,
    host_rounds=6,
    busy_rounds=2,
    merged_rounds=4,
    engines=Unet(8, 512),
    tiled=Unet(8, 512),
)
TINY = Plan(
    unets=(Unet(2, 64),),
    unet_rounds=2,
    unet_turn=2,
    host_sizes=(64,),
    host_rounds=2,
    host_turn=3,
    busy_rounds=1,
    merged_size=64,
    merged_rounds=2,
    merged_turn=2,
    engines=Unet(2, 64),
    tiles=(64,),
    tiled=Unet(2, 128),
)
