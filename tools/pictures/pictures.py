"""Writes the small picture files of crates/limpid/tests/pictures, in every form that limpid reads, with other programs.

    pip install -r tools/pictures/requirements.txt
    python tools/pictures/pictures.py

All show the same 5 x 7 pixels (`value` below, which the test has too), but for the lossy ones, which show 16 x 24.
"""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

DIRECTORY = Path(__file__).parents[2] / "crates/limpid/tests/pictures"
SIZE = (5, 7)
CHANNELS = {"gray": 1, "gray_alpha": 2, "rgb": 3, "rgb_alpha": 4}


def value(channel: int, bits: int, size=SIZE) -> np.ndarray:
    row, column = np.mgrid[0 : size[0], 0 : size[1]]
    return ((row * 9001 + column * 1511 + row * column * 307 + channel * 20011) % 65536) >> (16 - bits)


def pixels(channels: int, bits: int) -> np.ndarray:
    planes = [value(channel, bits) for channel in range(channels)]
    return np.stack(planes, axis=-1) if channels > 1 else planes[0]


def packed(rows: np.ndarray, bits: int) -> list[bytes]:
    """Rows of values of `bits` bits, the first in the high bits, each row in whole bytes."""
    bit_rows = [[int(v) >> (bits - 1 - i) & 1 for v in np.ravel(row) for i in range(bits)] for row in rows]
    return [np.packbits(np.array(row, np.uint8)).tobytes() for row in bit_rows]


def png(rows: np.ndarray, bits: int, color: int, extra: list[tuple[bytes, bytes]] = (), interlaced=False) -> bytes:
    """By hand: Pillow cannot write all depths, nor interlaced files."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = rows.shape[:2]
    passes = [rows]
    if interlaced:
        starts_and_steps = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        passes = [rows[y::dy, x::dx] for y, x, dy, dx in starts_and_steps]
    data = b"".join(b"\0" + row for part in passes if part.size for row in packed(part, bits))
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


def write_png() -> None:
    def write(name: str, file: bytes) -> None:
        Image.open(BytesIO(file)).load()  # Pillow can read it
        (DIRECTORY / name).write_bytes(file)

    for bits in (1, 2, 4, 8, 16):
        write(f"gray_{bits}.png", png(value(0, bits), bits, 0))
    for (name, channels), color in zip(CHANNELS.items(), (0, 4, 2, 6)):
        for bits in (8, 16):
            write(f"{name}_{bits}.png", png(pixels(channels, bits), bits, color))
    write("gray_8_interlaced.png", png(value(0, 8), 8, 0, interlaced=True))
    write("gray_2_interlaced.png", png(value(0, 2), 2, 0, interlaced=True))
    write("rgb_16_interlaced.png", png(pixels(3, 16), 16, 2, interlaced=True))
    greys = bytes(v for i in range(16) for v in [i * 17] * 3)
    write("gray_4_in_palette.png", png(value(0, 4), 4, 3, [(b"PLTE", greys)]))
    colors = bytes(v for i in range(16) for v in (i * 17, 255 - i * 17, i))
    write("colors_in_palette.png", png(value(0, 4), 4, 3, [(b"PLTE", colors)]))
    # 118 pixels per centimetre are 300 dpi.
    density = struct.pack(">IIB", 11811, 11811, 1)
    write("gray_8_with_density.png", png(value(0, 8), 8, 0, [(b"pHYs", density)]))
    # One grey is transparent.
    write("gray_8_with_transparent.png", png(value(0, 8), 8, 0, [(b"tRNS", struct.pack(">H", int(value(0, 8)[2, 3])))]))


def write_tiff() -> None:
    def write(name: str, data: np.ndarray, **options) -> None:
        tifffile.imwrite(DIRECTORY / f"{name}.tif", data, metadata=None, software=False, **options)

    for bits, kind in ((8, np.uint8), (16, np.uint16)):
        write(f"gray_{bits}", value(0, bits).astype(kind), photometric="minisblack")
        write(f"rgb_{bits}", pixels(3, bits).astype(kind), photometric="rgb")
        write(f"rgb_alpha_{bits}", pixels(4, bits).astype(kind), photometric="rgb", extrasamples=["unassalpha"])
        write(f"gray_alpha_{bits}", pixels(2, bits).astype(kind), photometric="minisblack", planarconfig="contig",
              extrasamples=["unassalpha"])
    unit = lambda a: (a / 65535).astype(np.float32)
    write("gray_float", unit(value(0, 16)), photometric="minisblack")
    write("rgb_float", unit(pixels(3, 16)), photometric="rgb")
    write("gray_float_wide", (unit(value(0, 16)) * 400 - 100).astype(np.float32), photometric="minisblack")
    write("gray_1", value(0, 1).astype(bool), photometric="minisblack")
    Image.fromarray(value(0, 1).astype(bool)).save(DIRECTORY / "gray_1_fax4.tif", compression="group4")
    write("gray_8_white_is_zero", (255 - value(0, 8)).astype(np.uint8), photometric="miniswhite")
    for packing in ("lzw", "adobe_deflate", "packbits"):
        write(f"gray_8_{packing}", value(0, 8).astype(np.uint8), photometric="minisblack", compression=packing)
    write("gray_16_lzw_predictor_two_rows", value(0, 16).astype(np.uint16), photometric="minisblack",
          compression="lzw", predictor=True, rowsperstrip=2)
    write("gray_8_tiled", value(0, 8).astype(np.uint8), photometric="minisblack", tile=(16, 16))
    write("gray_16_big_endian", value(0, 16).astype(np.uint16), photometric="minisblack", byteorder=">")
    write("gray_8_bigtiff", value(0, 8).astype(np.uint8), photometric="minisblack", bigtiff=True)
    # Orientation 6: to be turned clockwise by a quarter, so what is stored is turned the other way.
    write("gray_8_orientation_6", np.ascontiguousarray(np.rot90(value(0, 8))).astype(np.uint8), photometric="minisblack",
          extratags=[(274, 3, 1, 6, True)], resolution=(300, 150), resolutionunit="inch")
    write("two_pages", np.stack([value(0, 8)] * 2).astype(np.uint8), photometric="minisblack")


def write_others() -> None:
    save = lambda data, name, **options: Image.fromarray(data).save(DIRECTORY / name, **options)
    gray, rgb, rgba = (pixels(n, 8).astype(np.uint8) for n in (1, 3, 4))
    save(gray, "gray_8.bmp")
    save(rgb, "rgb_8.bmp")
    save(gray, "gray_8.webp", lossless=True)
    save(rgb, "rgb_8.webp", lossless=True)
    save(rgba, "rgb_alpha_8.webp", lossless=True, exact=True)
    save(gray, "gray_8.pgm")
    save(rgb, "rgb_8.ppm")
    size = f"{SIZE[1]} {SIZE[0]}\n"
    (DIRECTORY / "gray_1.pbm").write_bytes(f"P4\n{size}".encode() + b"".join(packed(1 - value(0, 1), 1)))
    (DIRECTORY / "gray_16.pgm").write_bytes(f"P5\n{size}65535\n".encode() + value(0, 16).astype(">u2").tobytes())
    numbers = "\n".join(" ".join(map(str, row)) for row in value(0, 4))
    (DIRECTORY / "gray_4_in_text.pgm").write_text(f"P2\n# in text\n{size}15\n{numbers}\n")

    smooth = np.mgrid[0:16, 0:24][0] * 9 + np.mgrid[0:16, 0:24][1] * 4 + 10
    save(smooth.astype(np.uint8), "smooth_gray.jpg", quality=95)
    save(np.stack([smooth, 255 - smooth, smooth // 2], -1).astype(np.uint8), "smooth_rgb.jpg", quality=95, subsampling=0)
    exif = Image.Exif()
    exif[274] = 8  # to be turned counterclockwise by a quarter
    save(np.ascontiguousarray(np.rot90(smooth, -1)).astype(np.uint8), "smooth_gray_orientation_8.jpg", quality=95, exif=exif)


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    write_png()
    write_tiff()
    write_others()
    for path in sorted(DIRECTORY.iterdir()):
        print(f"{path.stat().st_size:6}  {path.name}")
