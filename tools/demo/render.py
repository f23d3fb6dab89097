#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draw pictures of utility meters whose reading is known.

Nothing here is a photograph: a wall, a meter body, a face and a row of digit
wheels are drawn, tilted in space, lit, soiled, blurred and compressed. A
picture is a pure function of (seed, index, held), so a data set is a range.

The number is built the way a counter builds it. The last wheel turns
smoothly; a wheel moves only while the wheel to its right passes from 9 to 0.
A wheel reads as the digit it is leaving until the next one stands within a
tenth of its rest position, hence: reading = floor(position + 0.1).

Fonts and surfaces marked HELD never appear unless held=True is asked for, and
then only they appear.

    render.py OUT.png --seed 7 --index 0 [--held] [--width 800]
"""
import argparse
import io
import math
import os
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 320, 240        # the network's picture; all lengths are in its pixels
WHOLE, DECIMALS = 6, 3          # places left and right of the decimal point
PLACES = WHOLE + DECIMALS
BLANK = 10                      # class of a place that the meter has no wheel for
KINDS = ("water", "electricity", "gas", "none")
SETTLE = 0.1                    # how near its rest position a digit already counts

FONT_ROOT = "/usr/share/fonts"
FONTS = {                       # Debian package: faces
    "fonts-dejavu-core": ["truetype/dejavu/DejaVuSans.ttf", "truetype/dejavu/DejaVuSans-Bold.ttf",
                          "truetype/dejavu/DejaVuSerif-Bold.ttf"],
    "fonts-dejavu-extra": ["truetype/dejavu/DejaVuSansCondensed.ttf",
                           "truetype/dejavu/DejaVuSansCondensed-Bold.ttf"],
    "fonts-liberation": ["truetype/liberation/LiberationSans-Regular.ttf",
                         "truetype/liberation/LiberationSans-Bold.ttf",
                         "truetype/liberation/LiberationSansNarrow-Regular.ttf",
                         "truetype/liberation/LiberationSansNarrow-Bold.ttf",
                         "truetype/liberation/LiberationSerif-Bold.ttf"],
    "fonts-freefont-ttf": ["truetype/freefont/FreeSans.ttf", "truetype/freefont/FreeSansBold.ttf",
                           "truetype/freefont/FreeMonoBold.ttf"],
    "fonts-roboto-unhinted": ["truetype/roboto/unhinted/RobotoTTF/Roboto-Regular.ttf",
                              "truetype/roboto/unhinted/RobotoTTF/Roboto-Medium.ttf",
                              "truetype/roboto/unhinted/RobotoTTF/Roboto-Bold.ttf",
                              "truetype/roboto/unhinted/RobotoCondensed-Regular.ttf",
                              "truetype/roboto/unhinted/RobotoCondensed-Bold.ttf"],
    "fonts-noto-core": ["truetype/noto/NotoSans-Regular.ttf", "truetype/noto/NotoSans-Bold.ttf",
                        "truetype/noto/NotoSerif-Bold.ttf"],
    "fonts-open-sans": ["truetype/open-sans/OpenSans-Regular.ttf",
                        "truetype/open-sans/OpenSans-Semibold.ttf",
                        "truetype/open-sans/OpenSans-CondBold.ttf"],
    "fonts-cabin": ["opentype/cabin/Cabin-Medium.otf", "opentype/cabin/Cabin-Bold.otf"],
    "fonts-b612": ["opentype/b612/B612-Regular.otf", "opentype/b612/B612-Bold.otf"],
    "fonts-play": ["truetype/play/Play-Regular.ttf", "truetype/play/Play-Bold.ttf"],
    "fonts-karla": ["truetype/karla/Karla-Medium.otf", "truetype/karla/Karla-Bold.otf"],
    "fonts-clear-sans": ["truetype/clear-sans/ClearSans-Medium.ttf",
                         "truetype/clear-sans/ClearSans-Bold.ttf"],
    "fonts-routed-gothic": ["truetype/routed-gothic/routed-gothic.ttf",
                            "truetype/routed-gothic/routed-gothic-narrow.ttf"],
    "fonts-urw-base35": ["opentype/urw-base35/NimbusSansNarrow-Bold.otf",
                         "opentype/urw-base35/URWGothic-Book.otf",
                         "opentype/urw-base35/URWGothic-Demi.otf",
                         "opentype/urw-base35/P052-Bold.otf"],
}
HELD_FONTS = {
    "fonts-lato": ["truetype/lato/Lato-Regular.ttf", "truetype/lato/Lato-Medium.ttf",
                   "truetype/lato/Lato-Bold.ttf"],
    "fonts-cantarell": ["opentype/cantarell/Cantarell-Regular.otf",
                        "opentype/cantarell/Cantarell-Bold.otf"],
    "fonts-opendin": ["truetype/opendin/OSP-DIN.ttf"],
    "fonts-manrope": ["truetype/manrope/Manrope-Medium.ttf", "truetype/manrope/Manrope-Bold.ttf"],
    "fonts-urw-base35": ["opentype/urw-base35/C059-Bold.otf"],
}


# ---------------------------------------------------------------- surfaces

@lru_cache(None)
def noise_bank():
    """Tileable 512 x 512 fields with spectra 1/f^b, mean 0, deviation 1."""
    rng = np.random.default_rng(20)
    fy, fx = np.meshgrid(np.fft.fftfreq(512), np.fft.rfftfreq(512), indexing="ij")
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1
    bank = {}
    for name, power in (("white", 0.0), ("grain", 0.6), ("cloud", 1.4), ("blotch", 2.0)):
        field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((512, 512))) / radius ** power)
        bank[name] = ((field - field.mean()) / field.std()).astype(np.float32)
    return bank


def noise(rng, name, size, stretch=(1.0, 1.0), gain=36):
    """A grey picture of noise around 128, a random part of the bank."""
    w, h = (max(2, int(math.ceil(s / k))) for s, k in zip(size, stretch))
    field = noise_bank()[name]
    y, x = rng.integers(0, 512, 2)
    rows = np.arange(y, y + h) % 512
    cols = np.arange(x, x + w) % 512
    part = np.clip(field[rows[:, None], cols[None]] * gain + 128, 0, 255).astype(np.uint8)
    image = Image.fromarray(part)
    return image if image.size == tuple(size) else image.resize(size, Image.BILINEAR)


def tint(grey, dark, light):
    """Map grey 0..255 to the line between two colours."""
    return Image.merge("RGB", [grey.point([int(a + (b - a) * i / 255) for i in range(256)])
                               for a, b in zip(dark, light)])


def shade(colour, factor):
    return tuple(int(min(255, max(0, c * factor))) for c in colour)


def jitter(rng, colour, amount=12):
    """A neighbouring colour: mostly lighter or darker, a little of another hue."""
    lift = rng.normal(0, amount)
    return tuple(int(min(255, max(0, c + lift + rng.normal(0, amount * 0.3)))) for c in colour)


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


def surface(name, colour, grain, gain, contrast, stretch=(1, 1)):
    """A surface without structure of its own: one colour, one noise."""
    def draw(rng, size, u):
        c = jitter(rng, pick(rng, colour))
        k = [max(1.0, s * u * rng.uniform(0.7, 1.4)) for s in stretch]
        return tint(noise(rng, grain, size, k, gain), shade(c, 1 - contrast), shade(c, 1 + contrast))
    draw.__name__ = name
    return draw


def wood(rng, size, u):
    c = jitter(rng, pick(rng, [(150, 112, 74), (112, 80, 54), (176, 150, 118)]))
    image = tint(noise(rng, "cloud", size, (9 * u, 0.8 * u), 52), shade(c, 0.6), shade(c, 1.3))
    pen = ImageDraw.Draw(image)
    step = int(rng.uniform(45, 90) * u)
    for y in range(int(rng.integers(step)), size[1], step):
        pen.line([(0, y), (size[0], y)], shade(c, 0.3), max(1, int(1.4 * u)))
        pen.line([(0, y + 2 * u), (size[0], y + 2 * u)], shade(c, 1.25), max(1, int(0.6 * u)))
    return image


def tiles(rng, size, u):
    c = jitter(rng, pick(rng, [(222, 222, 216), (182, 196, 200), (208, 196, 172)]))
    image = tint(noise(rng, "blotch", size, (2 * u, 2 * u), 30), shade(c, 0.92), shade(c, 1.06))
    pen = ImageDraw.Draw(image)
    step = rng.uniform(55, 110) * u
    x0, y0 = rng.uniform(0, step, 2)
    for k in range(int(max(size) / step) + 2):
        for width, f in ((3.2, 0.62), (1.4, 0.72)):
            w = max(1, int(width * u))
            pen.line([(x0 + k * step, 0), (x0 + k * step, size[1])], shade(c, f), w)
            pen.line([(0, y0 + k * step), (size[0], y0 + k * step)], shade(c, f), w)
    return image


def brick(rng, size, u):
    c = pick(rng, [(146, 78, 58), (160, 96, 70), (128, 84, 70)])
    mortar = jitter(rng, (176, 168, 156))
    image = Image.new("RGB", size, mortar)
    pen = ImageDraw.Draw(image)
    h, w, gap = 26 * u, 78 * u, 3.4 * u
    x0, y0 = rng.uniform(0, w), rng.uniform(0, h)
    for row in range(-1, int(size[1] / h) + 2):
        for col in range(-2, int(size[0] / w) + 2):
            x, y = col * w + (row % 2) * w / 2 + x0, row * h + y0
            pen.rectangle([x, y, x + w - gap, y + h - gap], shade(jitter(rng, c, 9), rng.uniform(0.8, 1.15)))
    rough = tint(noise(rng, "grain", size, (1.2 * u, 1.2 * u), 34), (140,) * 3, (255,) * 3)
    return ImageChops.multiply(image, rough).point([min(255, int(v * 1.2)) for v in range(256)] * 3)


def gravel(rng, size, u):
    c = jitter(rng, pick(rng, [(150, 146, 138), (128, 118, 104)]))
    fine = noise(rng, "cloud", size, (2.2 * u, 2.2 * u), 70)
    edge = fine.filter(ImageFilter.FIND_EDGES).filter(ImageFilter.GaussianBlur(u * 0.6))
    stones = fine.point([255 if (i // 22) % 2 else 120 for i in range(256)]).filter(ImageFilter.GaussianBlur(0.8 * u))
    return tint(ImageChops.subtract(ImageChops.blend(fine, stones, 0.5), edge), shade(c, 0.25), shade(c, 1.5))


def hammered(rng, size, u):
    c = jitter(rng, pick(rng, [(86, 112, 98), (104, 112, 124), (126, 104, 76)]))
    blobs = noise(rng, "cloud", size, (2.6 * u, 2.6 * u), 60).filter(ImageFilter.GaussianBlur(1.4 * u))
    relief = ImageChops.subtract(blobs, ImageChops.offset(blobs, int(2 * u), int(2 * u)), 0.4, 128)
    return tint(relief, shade(c, 0.45), shade(c, 1.55))


def galvanised(rng, size, u):
    c = jitter(rng, (168, 174, 180), 6)
    w, h = int(size[0] / u / 1.5), int(size[1] / u / 1.5)
    seeds = rng.uniform(0, 1, (260, 2)) * (w, h)
    x, y = np.arange(w)[None, :, None], np.arange(h)[:, None, None]
    nearest = ((x - seeds[:, 0]) ** 2 + (y - seeds[:, 1]) ** 2).argmin(2)
    flakes = Image.fromarray(rng.integers(40, 216, 260).astype(np.uint8)[nearest])
    return tint(ImageChops.blend(flakes.resize(size, Image.BILINEAR), noise(rng, "grain", size), 0.25),
                shade(c, 0.72), shade(c, 1.2))


def yellowed(rng, size, u):
    base = tint(noise(rng, "cloud", size, (3 * u, 3 * u), 30), (198, 178, 120), (246, 234, 190))
    spots = noise(rng, "blotch", size, (1.5 * u, 1.5 * u), 60).point([0 if i < 175 else (i - 175) * 2 for i in range(256)])
    base.paste(Image.new("RGB", size, (150, 112, 60)), mask=spots)
    return base


WALLS = [
    surface("plaster", [(206, 200, 188), (226, 224, 218), (178, 186, 178)], "grain", 30, 0.16),
    surface("concrete", [(140, 138, 132), (112, 112, 110)], "cloud", 46, 0.34, (1.5, 1.5)),
    surface("pit", [(82, 66, 50), (60, 56, 52), (98, 84, 66)], "cloud", 62, 0.65, (2, 2)),
    surface("cabinet", [(196, 200, 198), (122, 130, 134), (70, 76, 82)], "blotch", 26, 0.10, (3, 3)),
    surface("chipboard", [(196, 164, 116), (170, 138, 100)], "white", 40, 0.3, (2.5, 1.2)),
    wood, tiles,
]
HELD_WALLS = [brick, gravel,
              surface("rendered", [(214, 186, 150), (150, 160, 172)], "white", 44, 0.22, (1.6, 1.6))]

BODIES = [
    surface("blue paint", [(38, 78, 148), (28, 96, 158), (54, 104, 132)], "cloud", 30, 0.12),
    surface("grey plastic", [(176, 178, 176), (132, 136, 138), (206, 206, 200)], "grain", 22, 0.07),
    surface("black plastic", [(42, 42, 44), (58, 58, 60)], "grain", 30, 0.2),
    surface("cast iron", [(84, 82, 80), (70, 86, 96)], "grain", 46, 0.34, (1.4, 1.4)),
    surface("brass", [(176, 142, 72), (160, 122, 66), (150, 110, 80)], "cloud", 40, 0.2, (3, 0.8)),
    surface("white lacquer", [(226, 226, 222), (214, 210, 196)], "blotch", 24, 0.06, (2, 2)),
    surface("green paint", [(72, 104, 84), (104, 130, 112)], "cloud", 34, 0.14),
]
HELD_BODIES = [hammered, galvanised,
               surface("red lead", [(142, 62, 44), (160, 80, 54)], "cloud", 44, 0.22)]

FACES = [                       # surface, ink that can be read on it
    (surface("enamel", [(240, 240, 236), (230, 232, 228)], "blotch", 18, 0.04, (3, 3)), (28, 28, 32)),
    (surface("paper", [(232, 226, 208), (222, 216, 204)], "grain", 24, 0.06), (40, 36, 36)),
    (surface("grey card", [(190, 192, 192), (168, 172, 174)], "grain", 18, 0.05), (24, 24, 28)),
    (surface("brushed aluminium", [(186, 188, 192), (200, 200, 198)], "white", 30, 0.14, (26, 0.9)), (26, 26, 30)),
    (surface("black card", [(34, 34, 36), (46, 46, 50)], "grain", 24, 0.14), (226, 226, 220)),
    (surface("blue card", [(44, 84, 142), (86, 136, 178)], "cloud", 18, 0.06), (236, 238, 240)),
]
HELD_FACES = [
    (yellowed, (44, 34, 28)),
    (surface("anodised", [(96, 100, 106), (84, 92, 98)], "white", 36, 0.2, (0.9, 18)), (232, 232, 226)),
    (surface("mint card", [(196, 220, 204), (206, 222, 190)], "cloud", 26, 0.07, (1.5, 1.5)), (26, 40, 34)),
]


class Kit:
    """What a picture may be made of: the training half or the held-out half."""

    def __init__(self, held):
        fonts = HELD_FONTS if held else FONTS
        self.fonts = [os.path.join(FONT_ROOT, f) for faces in fonts.values() for f in faces]
        self.print = [f for f in self.fonts if "OSP-DIN" not in f]      # it lacks the raised 3
        self.walls = HELD_WALLS if held else WALLS
        self.bodies = HELD_BODIES if held else BODIES
        self.faces = HELD_FACES if held else FACES


KITS = {held: Kit(held) for held in (False, True)}


@lru_cache(4096)
def font(path, size):
    return ImageFont.truetype(path, size)


@lru_cache(256)
def glyphs(path):
    """The ten digits of a face as masks of one height, and their common height."""
    f = font(path, 96)
    boxes = [f.getbbox(str(d), anchor="ls") for d in range(10)]
    top, bottom = min(b[1] for b in boxes), max(b[3] for b in boxes)
    masks = []
    for d, box in enumerate(boxes):
        mask = Image.new("L", (box[2] - box[0], bottom - top))
        ImageDraw.Draw(mask).text((-box[0], -top), str(d), 255, f, anchor="ls")
        masks.append(mask)
    return masks, bottom - top


# ---------------------------------------------------------------- the counter

def draw_position(rng, whole, decimals):
    """Wheel positions from the first to the last, and the reading's digits."""
    n = whole + decimals
    digits = rng.integers(0, 10, n)
    if rng.random() < 0.35:                     # young meters: leading zeros
        digits[:int(rng.integers(1, max(2, whole)))] = 0
    smooth = rng.random() < 0.65
    if smooth and rng.random() < 0.35:          # catch several wheels in motion
        digits[n - int(rng.integers(1, min(n, 5))):] = 9
    stand = rng.uniform(0, 1) if smooth else 0.0
    play = np.clip(rng.normal(0, 0.025, n), -0.07, 0.07)
    if smooth:
        play[-1] = 0.0
    position = digits.astype(float)
    position[-1] += stand
    for i in range(n - 2, -1, -1):
        position[i] += max(0.0, position[i + 1] - 9)
    total = int("".join(map(str, digits)))
    if stand + SETTLE >= 1:
        total = (total + 1) % 10 ** n
    reading = [int(c) for c in str(total).zfill(n)]
    moving = [bool(SETTLE < (p % 1) < 1 - SETTLE) for p in position]
    return position + play, reading, moving, stand if smooth else None


def drum_strip(rng, path, width, spacing, height, back, ink, wear, u):
    """The printed band of a drum, unrolled: ten digits, one below the other."""
    strip = np.empty((10 * spacing, width, 3), np.float32)
    strip[:] = back
    masks, tall = glyphs(path)
    squeeze = rng.uniform(0.82, 1.12)
    widest = max(m.width for m in masks)
    scale = height / tall
    squeeze = min(squeeze, 0.84 * width / (widest * scale))
    soft = rng.uniform(0, 0.35) * u
    for d, mask in enumerate(masks):
        w = max(2, int(round(mask.width * scale * squeeze)))
        cell = Image.new("L", (width, spacing))
        cell.paste(mask.resize((w, height), Image.BOX if scale < 0.5 else Image.BICUBIC),
                   ((width - w) // 2, (spacing - height) // 2))
        if soft > 0.3:
            cell = cell.filter(ImageFilter.GaussianBlur(soft))
        alpha = np.asarray(cell, np.float32)[..., None] / 255
        if wear:
            worn = noise(rng, "grain", (width, spacing), (1.5, 1.5), 60)
            alpha = alpha * np.clip(1.15 - wear * np.asarray(worn, np.float32)[..., None] / 255, 0, 1)
        rows = slice(d * spacing, (d + 1) * spacing)
        strip[rows] += alpha * (np.asarray(ink, np.float32) - strip[rows])
    return strip


def draw_counter(rng, kit, whole, decimals, pitch, room, plate, u):
    """The window with its wheels: (picture, mask, wheel centres in it, facts)."""
    position, reading, moving, stand = draw_position(rng, whole, decimals)
    n = whole + decimals
    path = pick(rng, kit.fonts)
    split = rng.random() < 0.22                 # one aperture per wheel
    between = rng.uniform(0.12, 0.4) * split
    comma = rng.uniform(0.15, 0.45) * (decimals > 0 and rng.random() < 0.4)
    side, edge = rng.uniform(0.06, 0.22), rng.uniform(0.08, 0.3)
    wide = n * (1 + between) - between + comma + 2 * (side + edge)
    px = max(8, int(round(min(pitch, room / wide) * u)))
    between, comma = int(between * px), int(comma * px)
    side, edge = max(2, int(side * px)), max(2, int(edge * px))
    spacing = int(px * rng.uniform(1.4, 1.85))
    tall = int(spacing * rng.uniform(0.60, 0.74))
    height = int(spacing * rng.uniform(0.98, 1.3))
    gap = max(1, int(px * rng.uniform(0.03, 0.16)))
    schemes = {
        "black": (jitter(rng, (30, 30, 32), 6), jitter(rng, (236, 234, 226), 8)),
        "white": (jitter(rng, (232, 230, 222), 8), jitter(rng, (28, 28, 32), 8)),
        "cream": (jitter(rng, (226, 214, 182), 8), jitter(rng, (44, 36, 34), 8)),
        "metal": (jitter(rng, (176, 178, 178), 8), jitter(rng, (26, 26, 30), 8)),
    }
    main = pick(rng, ["black", "black", "white", "cream", "metal"])
    red = jitter(rng, pick(rng, [(182, 36, 34), (204, 52, 38), (150, 34, 40)]), 8)
    mark = pick(rng, ["wheel", "wheel", "ink", "frame"]) if decimals else ""
    if mark == "wheel":
        minor = (red, jitter(rng, (238, 234, 228), 6))
    elif mark == "ink":
        minor = (jitter(rng, (232, 230, 222), 8), red)
    else:
        minor = schemes[main]
    wear = rng.uniform(0.2, 0.55) if rng.random() < 0.3 else 0
    wheel_w = px - gap
    majors = drum_strip(rng, path, wheel_w, spacing, tall, *schemes[main], wear, u)
    minors = drum_strip(rng, path, wheel_w, spacing, tall, *minor, wear, u) if decimals else None

    step = px + between
    w = n * step - between + comma + 2 * side + 2 * edge
    h = height + 2 * edge

    frame_c = jitter(rng, pick(rng, [(24, 24, 26), (70, 72, 74), (196, 198, 198), plate]), 6)
    canvas = np.empty((h, w, 3), np.float32)
    canvas[:] = frame_c
    light = rng.uniform(0.88, 1.12)
    canvas[:max(1, edge // 2)] *= 1.25 * light  # bevel
    canvas[-max(1, edge // 2):] *= 0.7
    left = edge + side
    split_at = left + whole * step + comma // 2
    if mark == "frame" or (mark and rng.random() < 0.25):
        canvas[:, split_at - between // 2:] = red
        canvas[:max(1, edge // 3), split_at:] = shade(red, 1.2)
    pit = jitter(rng, (18, 18, 20), 4)
    if not split:
        canvas[edge:h - edge, edge:split_at if mark == "frame" and comma else w - edge] = pit
        if mark == "frame" and comma:
            canvas[edge:h - edge, split_at + comma // 2:w - edge] = pit

    radius = spacing * 10 / (2 * math.pi)
    y = np.arange(height) - (height - 1) / 2
    theta = np.arcsin(np.clip(y / radius, -1, 1))
    arc = radius * theta / spacing              # in digits, from the middle of the window
    curve = np.cos(theta) ** rng.uniform(1.0, 2.6)
    tilt = 1 + rng.uniform(-0.25, 0.25) * np.sin(theta)
    dark_top = 1 - rng.uniform(0.1, 0.55) * np.exp(-np.arange(height) / (height * rng.uniform(0.05, 0.16)))
    dark_low = 1 - rng.uniform(0.0, 0.3) * np.exp(-np.arange(height)[::-1] / (height * 0.07))
    shading = (curve * tilt * dark_top * dark_low)[:, None, None]
    axial = np.ones(wheel_w)
    axial[:max(1, gap // 2)] = 0.72
    axial[-max(1, gap // 2):] = 0.8
    notch = rng.random() < 0.2
    centres = []
    for i in range(n):
        strip = majors if i < whole else minors
        row = (position[i] + arc + 0.5) * spacing - 0.5
        low = np.floor(row).astype(int)
        part = (row - low)[:, None, None]
        face = strip[low % len(strip)] * (1 - part) + strip[(low + 1) % len(strip)] * part
        face = face * shading * axial[None, :, None] * rng.uniform(0.93, 1.05)
        x = left + i * step + (comma if i >= whole else 0) + gap // 2
        if split:
            x0, x1 = max(0, x - side), min(w, x + wheel_w + side)
            canvas[edge:h - edge, x0:x1] = pit
        canvas[edge:edge + height, x:x + wheel_w] = face
        if notch:
            canvas[edge:edge + height:max(2, spacing // 3), x + wheel_w - max(1, gap):x + wheel_w] *= 0.6
        centres.append((x + wheel_w / 2, h / 2))
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    if comma and mark != "frame":
        ink = (226, 226, 220) if sum(pit if not split else frame_c) < 330 else (30, 30, 32)
        r = max(1, int(0.09 * px))
        cx, cy = split_at - between // 2, h - edge - int(0.16 * height)
        pen.ellipse([cx - r, cy - r, cx + r, cy + r], ink)
        pen.line([(cx, cy), (cx - r, cy + 3 * r)], ink, max(1, r))
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, w - 1, h - 1], int(rng.uniform(0, 0.3) * px), 255)
    facts = {"reading": reading, "moving": moving, "stand": stand, "whole": whole,
             "decimals": decimals, "font": os.path.basename(path)[:-4]}
    return image, mask, centres, facts


# ---------------------------------------------------------------- the meter

BRANDS = ["AQUAMETRA", "HYDRON", "VOLTARIS", "GASOMAT", "NORDZÄHLER", "ELMA 72", "Rheostat & Co",
          "METRIX-O", "KONTADOR", "fluxa", "SIGMA III", "OBELISK"]


class Scene:
    """A flat drawing in units of the network's pixels around the meter's middle."""

    def __init__(self, rng, kit, u):
        self.rng, self.kit, self.u = rng, kit, u
        self.size = (int(540 * u), int(420 * u))
        self.image = pick(rng, kit.walls)(rng, self.size, u)
        self.light = rng.uniform(0, 2 * math.pi)
        self.centres = []

    def at(self, x, y):
        return (x * self.u + self.size[0] / 2, y * self.u + self.size[1] / 2)

    def box(self, x0, y0, x1, y1):
        return [*self.at(x0, y0), *self.at(x1, y1)]

    def solid(self, material, shape, box, depth, radius=0, cast=0.5):
        """Put a body on the scene: cast shadow, material, lit and dark edges."""
        dx, dy = math.cos(self.light), math.sin(self.light)
        k = depth * self.u
        full = self.box(*box)
        room = int(2.2 * k) + 2
        x0, y0 = max(0, int(full[0]) - room), max(0, int(full[1]) - room)
        x1, y1 = min(self.size[0], int(full[2]) + room), min(self.size[1], int(full[3]) + room)
        mask = Image.new("L", ((x1 - x0) * 2, (y1 - y0) * 2))
        pen = ImageDraw.Draw(mask)
        inner = [(v - o) * 2 for v, o in zip(full, (x0, y0, x0, y0))]
        if shape == "ellipse":
            pen.ellipse(inner, 255)
        else:
            pen.rounded_rectangle(inner, radius * self.u * 2, 255)
        mask = mask.reduce(2)
        if cast:
            shadow = Image.new("L", mask.size)
            shadow.paste(mask.filter(ImageFilter.BoxBlur(k)).point([int(v * cast) for v in range(256)]),
                         (int(dx * k), int(dy * k)))
            self.image.paste((8, 8, 10), (x0, y0), shadow)
        soft = mask.filter(ImageFilter.BoxBlur(k * 0.35))
        shift = (int(round(dx * k * 0.3)), int(round(dy * k * 0.3)))
        toward, away = Image.new("L", mask.size), Image.new("L", mask.size)
        toward.paste(soft, (-shift[0], -shift[1]))
        away.paste(soft, shift)
        rim = ImageChops.subtract(toward, away, 1, 128)
        lit = ImageChops.overlay(material.crop((x0, y0, x1, y1)), Image.merge("RGB", [rim] * 3))
        self.image.paste(lit, (x0, y0), mask)

    def material(self, make):
        return make(self.rng, self.size, self.u)

    def text(self, x, y, string, height, ink, anchor="mm"):
        f = font(pick(self.rng, self.kit.print), max(4, int(height * self.u * 1.3)))
        ImageDraw.Draw(self.image).text(self.at(x, y), string, ink, f, anchor=anchor)

    def counter(self, x, y, whole, decimals, pitch, room, plate):
        image, mask, centres, self.facts = draw_counter(
            self.rng, self.kit, whole, decimals, pitch, room, plate, self.u)
        x0, y0 = self.at(x, y)
        x0, y0 = int(x0 - image.width / 2), int(y0 - image.height / 2)
        self.image.paste(image, (x0, y0), mask)
        self.centres = [(x0 + cx, y0 + cy) for cx, cy in centres]
        return image.width / self.u / 2, image.height / self.u / 2      # half extents

    def screw(self, x, y, r):
        pen = ImageDraw.Draw(self.image)
        pen.ellipse(self.box(x - r - 0.8, y - r - 0.8, x + r + 0.8, y + r + 0.8), (40, 40, 42))
        pen.ellipse(self.box(x - r, y - r, x + r, y + r), jitter(self.rng, (176, 172, 164), 16))
        a = self.rng.uniform(0, math.pi)
        c, s = math.cos(a) * r * 0.8, math.sin(a) * r * 0.8
        pen.line(self.box(x - c, y - s, x + c, y + s), (60, 58, 56), max(1, int(r * 0.35 * self.u)))

    def barcode(self, x, y, w, h, ink):
        pen = ImageDraw.Draw(self.image)
        pen.rectangle(self.box(x - 2, y - 2, x + w + 2, y + h + 2), (232, 232, 228))
        at = 0.0
        while at < w:
            bar = self.rng.choice([0.7, 1.2, 1.9])
            pen.rectangle(self.box(x + at, y, min(w, at + bar) + x, y + h), (30, 30, 32))
            at += bar + self.rng.choice([0.8, 1.4, 2.0])

    def serial(self):
        return "".join(str(d) for d in self.rng.integers(0, 10, int(self.rng.integers(6, 10))))


def pick_places(rng, kind):
    if kind == "water":
        return int(rng.choice([4, 5, 6], p=[0.3, 0.55, 0.15])), int(rng.choice([0, 1, 2, 3], p=[0.2, 0.15, 0.25, 0.4]))
    if kind == "gas":
        return int(rng.choice([4, 5, 6], p=[0.2, 0.6, 0.2])), int(rng.choice([0, 1, 2, 3], p=[0.1, 0.15, 0.35, 0.4]))
    return int(rng.choice([4, 5, 6], p=[0.15, 0.5, 0.35])), int(rng.choice([0, 1, 2], p=[0.4, 0.5, 0.1]))


def water(s):
    """A round meter in a pipe: ring, dial with ticks, small pointers, a star."""
    rng = s.rng
    whole, decimals = pick_places(rng, "water")
    n = whole + decimals
    pitch = rng.uniform(16.5, 22) if n > 6 else rng.uniform(18, 27)
    dial = min(126, max(72, n * pitch * rng.uniform(0.62, 0.74) + 6))
    pipe = dial * rng.uniform(0.35, 0.6)
    metal = s.material(pick(rng, s.kit.bodies))
    column = np.sin(np.linspace(0.12, math.pi - 0.12, int(2 * pipe * s.u))) ** 0.8
    tube = Image.new("L", s.size)
    tube.paste(Image.fromarray((column * 255).astype(np.uint8)[:, None]).resize((s.size[0], len(column))),
               (0, int(s.size[1] / 2 - len(column) / 2)))
    s.solid(ImageChops.multiply(metal, Image.merge("RGB", [tube] * 3)),
            "rect", (-290, -pipe, 290, pipe), 14)
    for sign in (-1, 1):
        x = sign * (dial * rng.uniform(1.28, 1.4))
        s.solid(metal, "rect", (x - 13, -pipe * 1.22, x + 13, pipe * 1.22), 8, 4)
    body = s.material(pick(rng, s.kit.bodies))
    outer = dial * rng.uniform(1.12, 1.24)
    s.solid(body, "ellipse", (-outer, -outer, outer, outer), 16, cast=0.65)
    lip = dial * 1.045
    s.solid(s.material(pick(rng, s.kit.bodies)), "ellipse", (-lip, -lip, lip, lip), 5, cast=0)
    make, ink = pick(rng, s.kit.faces)
    face = s.material(make)
    s.solid(face, "ellipse", (-dial, -dial, dial, dial), 3, cast=0)
    plate = face.getpixel((s.size[0] // 2, s.size[1] // 2))
    pen = ImageDraw.Draw(s.image)
    if rng.random() < 0.6:
        for k in range(100):
            a = k * math.pi / 50
            r0 = dial * (0.90 if k % 10 else 0.86)
            pen.line(s.box(r0 * math.cos(a), r0 * math.sin(a), dial * 0.94 * math.cos(a), dial * 0.94 * math.sin(a)),
                     ink, max(1, int(0.5 * s.u)))
    yc = -dial * rng.uniform(0.12, 0.34)
    hw, hh = s.counter(rng.uniform(-0.02, 0.02) * dial, yc, whole, decimals, pitch, dial * 1.72, plate)
    s.text(0, yc - hh - dial * 0.16, pick(rng, BRANDS), dial * 0.11, ink)
    if rng.random() < 0.5:
        s.text(0, yc + hh + dial * 0.09, "m³", dial * 0.11, ink)
    else:
        s.text(hw * rng.uniform(0.5, 0.8), yc - hh - dial * 0.07, "m³", dial * 0.1, ink)
    for label, x, y in (("x0,1", -0.5, 0.3), ("x0,01", -0.24, 0.62), ("x0,001", 0.24, 0.62))[:int(rng.integers(0, 4))]:
        x, y, r = x * dial, y * dial, dial * 0.15
        if y - r < yc + hh + 2:
            continue
        pen.ellipse(s.box(x - r, y - r, x + r, y + r), outline=ink, width=max(1, int(0.5 * s.u)))
        for k in range(10):
            a = k * math.pi / 5
            s.text(x + r * 0.78 * math.cos(a), y + r * 0.78 * math.sin(a), str(k), 3.0, ink)
        a = rng.uniform(0, 2 * math.pi)
        tip, wing = s.at(x + r * 0.8 * math.cos(a), y + r * 0.8 * math.sin(a)), r * 0.16
        pen.polygon([tip, s.at(x + wing * math.sin(a), y - wing * math.cos(a)),
                     s.at(x - r * 0.4 * math.cos(a), y - r * 0.4 * math.sin(a)),
                     s.at(x - wing * math.sin(a), y + wing * math.cos(a))], (196, 34, 32))
        s.text(x, y + r * 1.25, label, 4, ink)
    if rng.random() < 0.7:
        x, y, r = dial * 0.5, dial * 0.3, dial * 0.09
        a0 = rng.uniform(0, 1)
        star = [s.at(x + (r if k % 2 else r * 0.6) * math.cos(a0 + k * math.pi / 8),
                     y + (r if k % 2 else r * 0.6) * math.sin(a0 + k * math.pi / 8)) for k in range(16)]
        pen.polygon(star, pick(rng, [(188, 36, 34), (30, 30, 34), (200, 200, 200)]))
    s.text(0, dial * 0.84, pick(rng, ["Q3 2,5  R80", "Qn 1,5  Kl. B", "Q3 4 m³/h  T30", "MAP 16"]), dial * 0.06, ink)
    if rng.random() < 0.6:
        s.text(0, dial * rng.uniform(0.36, 0.46), "Nr. " + s.serial(), dial * 0.075, ink)


def plate_meter(s, kind):
    """An electricity or gas meter: a box, a plate in it, a counter in the plate."""
    rng = s.rng
    whole, decimals = pick_places(rng, kind)
    n = whole + decimals
    pitch = rng.uniform(17, 23) if n > 6 else rng.uniform(19, 29)
    half = n * pitch / 2
    body = s.material(pick(rng, s.kit.bodies))
    make, ink = pick(rng, s.kit.faces)
    face = s.material(make)
    plate = face.getpixel((s.size[0] // 2, s.size[1] // 2))
    pen = ImageDraw.Draw(s.image)
    yc = -rng.uniform(5, 38)
    if kind == "electricity":
        w = max(half * rng.uniform(1.22, 1.5), 84)
        h = rng.uniform(92, 122)
        s.solid(body, "rect", (-w - 16, -h - 8, w + 16, h + 14), 14, rng.uniform(4, 22), cast=0.6)
        lower = h - rng.uniform(28, 44)
        s.solid(body, "rect", (-w - 8, lower + 6, w + 8, h + 8), 5, 5, cast=0.3)
        for sign in (-1, 1):
            s.screw(sign * w * 0.8, (lower + h) / 2 + 6, 5)
        s.solid(face, "rect", (-w, -h + 2, w, lower), 4, rng.uniform(1, 10), cast=0)
        top = -h + 2
    else:
        w = max(half * rng.uniform(1.45, 1.8), 112)
        h = rng.uniform(98, 128)
        for sign in (-1, 1):
            x = sign * w * rng.uniform(0.5, 0.62)
            s.solid(body, "rect", (x - 15, -230, x + 15, -h + 10), 8, 2)
            s.solid(body, "rect", (x - 22, -h - 18, x + 22, -h - 2), 6, 3)
        s.solid(body, "rect", (-w, -h, w, h), 18, rng.uniform(18, 46), cast=0.65)
        if rng.random() < 0.6:
            seam = rng.uniform(0.5, 0.8) * h
            s.solid(body, "rect", (-w - 5, seam - 4, w + 5, seam + 4), 5, 3, cast=0.35)
        pw, top, lower = half * rng.uniform(1.16, 1.34), yc - rng.uniform(34, 52), yc + rng.uniform(34, 60)
        s.solid(s.material(pick(rng, s.kit.bodies)), "rect", (-pw - 7, top - 7, pw + 7, lower + 7), 8, 7, cast=0.5)
        s.solid(face, "rect", (-pw, top, pw, lower), 3, rng.uniform(1, 6), cast=0)
        w = pw
    hw, hh = s.counter(rng.uniform(-0.03, 0.03) * w, yc, whole, decimals, pitch, w * 1.86, plate)
    unit = "kWh" if kind == "electricity" else "m³"
    if rng.random() < 0.5 and hw + 28 < w:
        s.text(hw + 3, yc, unit, 8, ink, "lm")
    else:
        s.text(w * rng.uniform(0.5, 0.8), yc - hh - 7, unit, 8, ink)
    if yc - hh - 14 > top + 8:
        s.text(-w * rng.uniform(0.7, 0.88), (top + yc - hh) / 2, pick(rng, BRANDS), min(10, (yc - hh - top) * 0.3), ink, "lm")
    y = yc + hh + 9
    if kind == "electricity" and rng.random() < 0.6 and y + 16 < lower:
        slot = w * rng.uniform(0.45, 0.8)
        pen.rectangle(s.box(-slot, y, slot, y + 9), (22, 22, 24))
        x0, y0 = s.at(-slot + 2, y + 3.2)
        ramp = (150 + 90 * np.sin(np.linspace(0, 7, int((2 * slot - 4) * s.u)) + rng.uniform(0, 6))).clip(0, 255)
        s.image.paste(Image.fromarray(np.repeat(ramp.astype(np.uint8)[None], max(1, int(2.6 * s.u)), 0)).convert("RGB"),
                      (int(x0), int(y0)))
        x = rng.uniform(-slot * 0.8, slot * 0.8)
        pen.rectangle(s.box(x, y + 3, x + 7, y + 6), (190, 30, 30))
        y += 16
    lines = {"electricity": ["230 V  10(60) A  50 Hz", "375 U/kWh", "Kl. 2   3x230/400 V", "Nr. %s" % s.serial(), "C-%s" % s.serial()],
             "gas": ["Qmax 6 m³/h   Qmin 0,04", "pmax 0,5 bar", "V 1,2 dm³   G4", "Nr. %s" % s.serial(), "1 imp = 0,01 m³"]}[kind]
    size = rng.uniform(4.5, 7)
    for i in rng.permutation(len(lines)):
        if y + size > lower - 3:
            break
        s.text(rng.uniform(-0.85, -0.6) * w, y + size / 2, lines[i], size, ink, "lm")
        y += size * rng.uniform(1.4, 2)
    if rng.random() < 0.45 and lower - (yc + hh) > 24:
        s.barcode(w * 0.3, lower - 16, w * 0.5, 9, ink)
    if rng.random() < 0.4:
        for sign in (-1, 1):
            s.screw(sign * w * 0.93, (top + lower) / 2, 3)


def nothing(s):
    """No meter: a wall, at most with a box that has a label."""
    rng = s.rng
    if rng.random() < 0.7:
        w, h = rng.uniform(50, 130, 2)
        s.solid(s.material(pick(rng, s.kit.bodies)), "rect", (-w, -h, w, h), 12, rng.uniform(2, 30))
        make, ink = pick(rng, s.kit.faces)
        if rng.random() < 0.7:
            s.solid(s.material(make), "rect", (-w * 0.8, -h * 0.6, w * 0.8, h * 0.5), 3, 2, cast=0)
            s.text(0, -h * 0.4, pick(rng, BRANDS), 10, ink)
            s.text(0, h * 0.2, "Nr. " + s.serial(), rng.uniform(5, 14), ink)
            s.barcode(-w * 0.4, h * 0.32, w * 0.8, 9, ink)
    s.centres = [s.at(-30, 0), s.at(30, 0)]     # where the camera looks
    s.facts = {"reading": [], "moving": [], "stand": None, "whole": 0, "decimals": 0, "font": ""}


# ---------------------------------------------------------------- the camera

def homography(rng, scene, view):
    """From the scene's pixels to the picture's: tilt, turn, scale, shift."""
    first, last = np.array(scene.centres[0]), np.array(scene.centres[-1])
    length = np.hypot(*(last - first)) / scene.u
    pitch = length / (len(scene.centres) - 1)
    room = 0.88 * WIDTH / (length + 2.4 * pitch)
    zoom = min(rng.uniform(0.86, 1.12), room)
    zoom = max(zoom, 15.5 / pitch)
    roll = math.radians(np.clip(rng.normal(0, 4.5), -12, 12))
    tilt_x, tilt_y = rng.normal(0, 0.00035, 2).clip(-0.0008, 0.0008)
    to_units = np.array([[1 / scene.u, 0, -scene.size[0] / 2 / scene.u],
                         [0, 1 / scene.u, -scene.size[1] / 2 / scene.u], [0, 0, 1]])
    c, s = math.cos(roll) * zoom, math.sin(roll) * zoom
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [rng.normal(0, 0.02), 1, 0], [tilt_x, tilt_y, 1]])
    matrix = tilt @ turn @ to_units
    ends = [matrix @ (*p, 1) for p in (first, last)]
    xs = [e[0] / e[2] for e in ends]
    ys = [e[1] / e[2] for e in ends]
    margin = 0.9 * pitch * zoom + 5
    dx = np.clip(rng.normal(0, 14), -WIDTH / 2 + margin - xs[0], WIDTH / 2 - margin - xs[1]) \
        if xs[1] - xs[0] + 2 * margin < WIDTH else -(xs[0] + xs[1]) / 2
    dy = np.clip(rng.normal(0, 14), -HEIGHT * 0.38 - min(ys), HEIGHT * 0.38 - max(ys))
    to_view = np.array([[1, 0, WIDTH / 2 + dx], [0, 1, HEIGHT / 2 + dy], [0, 0, 1 / view]])
    return to_view @ matrix


def warp(image, matrix, size):
    inverse = np.linalg.inv(matrix)
    inverse /= inverse[2, 2]
    return image.transform(size, Image.PERSPECTIVE, inverse.ravel()[:8].tolist(), Image.BILINEAR)


def field(rng, size, cells, low, high):
    """A smooth random field between two values."""
    coarse = Image.fromarray(rng.uniform(low, high, cells).astype(np.float32))
    return np.asarray(coarse.resize((size[0] // 8, size[1] // 8), Image.BICUBIC).resize(size, Image.BILINEAR))


def photograph(rng, image, window, view):
    """Dirt, light, glare, lens, sensor, file."""
    size = image.size
    if rng.random() < 0.45:                     # dust and dirt
        dirt = noise(rng, pick(rng, ["cloud", "blotch", "grain"]), size, (view * rng.uniform(0.6, 2),) * 2, 50)
        level, depth = rng.uniform(120, 190), rng.uniform(0.15, 0.55)
        alpha = dirt.point([int(min(255, max(0, (i - level) * 2.2) * depth)) for i in range(256)])
        image.paste(jitter(rng, pick(rng, [(96, 82, 64), (170, 164, 150), (60, 56, 52)]), 10), mask=alpha)
    if rng.random() < 0.25:                     # scratches on the glass
        veil = Image.new("L", size)
        pen = ImageDraw.Draw(veil)
        for _ in range(int(rng.integers(1, 7))):
            x, y = rng.uniform(0, size[0]), rng.uniform(0, size[1])
            a, r = rng.uniform(0, math.pi), rng.uniform(10, 60) * view
            pen.line([(x, y), (x + r * math.cos(a), y + r * math.sin(a))], int(rng.uniform(50, 150)), 1)
        image.paste((235, 235, 235), mask=veil)
    x = np.asarray(image, np.float32)
    x = x * field(rng, size, (3, 4), rng.uniform(0.5, 0.95), 1.1)[..., None]
    if rng.random() < 0.3:                      # a hard shadow across
        a, offset = rng.uniform(0, math.pi), rng.uniform(-0.3, 0.3)
        yy, xx = np.ogrid[-0.5:0.5:size[1] * 1j, -0.5:0.5:size[0] * 1j]
        side = (xx * math.cos(a) + yy * math.sin(a) - offset) / rng.uniform(0.004, 0.06)
        x = x * (1 - rng.uniform(0.2, 0.55) / (1 + np.exp(-np.clip(side, -30, 30))))[..., None].astype(np.float32)
    if rng.random() < 0.5:                      # glare on the glass
        glare = Image.new("L", (size[0] // 4, size[1] // 4))
        pen = ImageDraw.Draw(glare)
        for _ in range(int(rng.integers(1, 4))):
            cx, cy = rng.uniform(0, glare.width), rng.uniform(0, glare.height)
            if rng.random() < 0.5:
                rx, ry = rng.uniform(3, 22, 2) * view / 1.5
                pen.ellipse([cx - rx, cy - ry, cx + rx, cy + ry], int(rng.uniform(90, 255)))
            else:
                a, w, r = rng.uniform(0, math.pi), rng.uniform(3, 14) * view / 1.5, 400
                dx, dy = r * math.cos(a), r * math.sin(a)
                nx, ny = -math.sin(a) * w, math.cos(a) * w
                pen.polygon([(cx - dx, cy - dy), (cx + dx, cy + dy), (cx + dx + nx, cy + dy + ny),
                             (cx - dx + nx, cy - dy + ny)], int(rng.uniform(25, 90)))
        glare = glare.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 5) * view / 1.5)).resize(size, Image.BILINEAR)
        power = np.asarray(glare, np.float32)[..., None] / 255
        x = x + np.where(window[..., None] > 0, np.minimum(power, 0.45), power) * 230
    warmth = rng.normal(0, 0.05)
    balance = np.array([1 + warmth, 1 + rng.normal(0, 0.012), 1 - warmth]) * rng.uniform(0.62, 1.15)
    x = x * balance.astype(np.float32)
    mean = x.mean()
    x = (x - mean) * np.float32(rng.uniform(0.75, 1.15)) + mean + np.float32(rng.uniform(-8, 16))
    image = Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))
    blur = max(0.0, rng.uniform(-0.5, 1.0)) * view
    if blur > 0.2:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    if rng.random() < 0.2:                      # a shaking hand
        r = rng.uniform(0.5, 2.2) * view
        a = rng.uniform(0, math.pi)
        dx, dy = r * math.cos(a) / 2, r * math.sin(a) / 2
        moved = [image.transform(size, Image.AFFINE, (1, 0, k * dx, 0, 1, k * dy), Image.BILINEAR) for k in (-1, 1)]
        image = Image.blend(Image.blend(*moved, 0.5), image, 1 / 3)
    x = np.asarray(image, np.float32)
    sigma = rng.gamma(2.0, 2.2)
    bank = noise_bank()["white"]
    grain = np.empty_like(x)
    for channel in range(3):
        r, c = rng.integers(0, 512, 2)
        rows, cols = np.arange(r, r + size[1]) % 512, np.arange(c, c + size[0]) % 512
        grain[..., channel] = bank[rows[:, None], cols[None]]
    image = Image.fromarray(np.clip(x + grain * np.float32(min(sigma, 16)), 0, 255).astype(np.uint8))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.uniform(40, 95)))
    return Image.open(file).convert("RGB")


def render(seed, index, held=False, width=None):
    """One picture and what it shows.

    Without a width the picture has the network's size, taken down from a
    larger one by a random filter, as pictures from elsewhere would be.
    """
    rng = np.random.default_rng([seed, index, int(held)])
    view = width / WIDTH if width else float(rng.choice([1.0, 1.25, 1.6]))
    u = max(1.35, view)
    scene = Scene(rng, KITS[held], u)
    kind = KINDS[int(rng.choice(4, p=[0.32, 0.33, 0.32, 0.03]))]
    if kind == "water":
        water(scene)
    elif kind == "none":
        nothing(scene)
    else:
        plate_meter(scene, kind)
    matrix = homography(rng, scene, view)
    size = (int(round(WIDTH * view)), int(round(HEIGHT * view)))
    picture = warp(scene.image, matrix, size)
    points = []
    for x, y in scene.centres:
        p = matrix @ (x, y, 1)
        points.append((p[0] / p[2] / view, p[1] / p[2] / view))
    cover = Image.new("L", size)
    pitch = math.dist(points[0], points[1])
    ImageDraw.Draw(cover).line([(x * view, y * view) for x, y in points], 255, int(2.2 * pitch * view))
    picture = photograph(rng, picture, np.asarray(cover), view)
    if not width and picture.size != (WIDTH, HEIGHT):
        picture = picture.resize((WIDTH, HEIGHT), pick(rng, [Image.BILINEAR, Image.BOX, Image.BICUBIC]))
    facts = scene.facts
    if kind == "none":
        points = []
    pad = WHOLE - facts["whole"]
    tail = DECIMALS - facts["decimals"]
    label = [BLANK] * pad + facts["reading"] + [BLANK] * tail
    place = [(-1.0, -1.0)] * pad + points + [(-1.0, -1.0)] * tail
    moving = [False] * pad + facts["moving"] + [False] * tail
    return picture, {"kind": kind, "label": label, "place": place, "moving": moving, "stand": facts["stand"],
                     "font": facts["font"]}


def number(label):
    """The number that nine places spell: (0..9 or BLANK) x PLACES -> text."""
    whole = "".join(str(d) for d in label[:WHOLE] if d != BLANK)
    rest = "".join(str(d) for d in label[WHOLE:] if d != BLANK)
    return whole + ("." + rest if rest else "")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--index", type=int, default=0)
    p.add_argument("--held", action="store_true")
    p.add_argument("--width", type=int)
    p.add_argument("--sheet", type=int, default=0, help="draw this many pictures in a grid")
    a = p.parse_args()
    if a.sheet:
        columns = 4
        w = a.width or WIDTH
        h = w * HEIGHT // WIDTH
        sheet = Image.new("RGB", (columns * w, -(-a.sheet // columns) * h))
        for i in range(a.sheet):
            picture, facts = render(a.seed, a.index + i, a.held, a.width)
            sheet.paste(picture, (i % columns * w, i // columns * h))
            print(i, facts["kind"], number(facts["label"]), facts["stand"])
        sheet.save(a.out)
    else:
        picture, facts = render(a.seed, a.index, a.held, a.width)
        picture.save(a.out)
        print(facts["kind"], number(facts["label"]))


if __name__ == "__main__":
    main()
