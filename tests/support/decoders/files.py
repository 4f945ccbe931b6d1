"""Programs that turn the files of phones into files for computers: gnokii, ImageMagick, libwbxml's tools."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from support.requirements import program


def rtttl(ringtone: bytes) -> str:
    """A ringtone in binary form as gnokii writes it in RTTTL."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "tone.ott", Path(folder) / "tone.rtttl"
        source.write_bytes(ringtone)
        subprocess.run(
            [program("gnokii"), "--ringtoneconvert", source, target],
            capture_output=True,
            check=True,
            timeout=30,
            env={"PATH": "/usr/bin:/bin", "HOME": folder},
        )
        return target.read_text(encoding="latin-1").strip()


def pixels(ota_bitmaps: Sequence[bytes]) -> list[list[str]]:
    """The rows of each OTA bitmap as ImageMagick draws them: # is black."""
    with tempfile.TemporaryDirectory() as folder:
        for at, octets in enumerate(ota_bitmaps):
            Path(folder, f"{at}").write_bytes(octets)
        # Debian's; other programs of that name may stand earlier in the path.
        command = [program("/usr/bin/convert"), *(f"otb:{at}" for at in range(len(ota_bitmaps)))]
        done = subprocess.run(
            [*command, "-compress", "none", "pbm:-"], cwd=folder, capture_output=True, check=True, timeout=60
        )
    words = iter(done.stdout.decode().split())
    return [_picture(words) for _ in ota_bitmaps]


def _picture(words: Iterator[str]) -> list[str]:
    """One picture of a PBM file in plain form."""
    assert next(words) == "P1"
    width, height = int(next(words)), int(next(words))
    bits = "".join(islice(words, width * height)).replace("0", ".").replace("1", "#")
    return [bits[at * width :][:width] for at in range(height)]


def xml(wbxml: bytes) -> str:
    """A WBXML document as libwbxml writes it in XML."""
    command = [program("wbxml2xml"), "-m", "1", "-o", "-", "-"]
    done = subprocess.run(command, input=wbxml, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.decode()
