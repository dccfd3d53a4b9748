"""What the networks that enlarge frames of cells have in common, in words."""

from __future__ import annotations

GIVES = (
    "One uint16 frame (1, 1, y, x) of nuclei, membranes or mitochondria, y and x of at least 16, normalised to its "
    "percentiles 3 and 99.8. The answer is float32 (1, 1, 2y, 2x): onscope brings it back to the frame's counts, so "
    "that a pixel of half the size shows what a whole one of this brightness would count."
)
LEARNT_FROM = (
    "Nuclei, membranes and mitochondria of the specimen's scenarios dividing-cells and label-free: 40 to 130 % of "
    "their cells, fine pixels of 0.1 to 0.33 um, focus off by 0.7 um (standard deviation), 240 fields of 256x256, "
    "turned and mirrored. Frames are the mean over 2x2 of these pixels, with 60 to 3000 photons in the brightest "
    "pixels over a background of 0.5 to 30, behind sCMOS sensors of many kinds; noise is drawn anew for every batch. "
    "In the paper frames are free of noise."
)
BRIGHTER_TOO = "Examples are 0.5 to 4 times as bright as their percentiles say."
NOT_REAL = (
    "Trained on simulated cells in moderate to good light alone: below about 60 photons in the brightest pixels "
    "denoise first. It takes noise out and samples finer; it gives back what pixels averaged away, not what the "
    "optics did not pass. Percentiles are the whole frame's, so that a cut-out is not treated as in the full frame."
)


def on_real_images(psnr: str) -> str:
    """What real images say, given the network's and bicubic interpolation's PSNR, as "31.6 / 39.4" and so on."""
    return (
        "On real images it is worse than bicubic interpolation: of MCF10A nuclei, both channels of a live-cell frame, "
        "StarDist's example of nuclei and E. coli, averaged over 2x2 pixels and enlarged again, the PSNR against the "
        f"images as they are is {psnr} dB (network / bicubic; the images' own noise counts as detail). It smooths "
        "details of four of the frame's pixels, on the first of these to three quarters of their strength."
    )
