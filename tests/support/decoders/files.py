"""Programs that turn the files of phones into files for computers: gnokii, ImageMagick, libwbxml's tools."""

from __future__ import annotations

import subprocess
import tempfile
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


def pixels(ota_bitmap: bytes) -> list[str]:
    """The rows of an OTA bitmap as ImageMagick draws them: # is black."""
    # Debian's; other programs of that name may stand earlier in the path.
    command = [program("/usr/bin/convert"), "otb:-", "-compress", "none", "pbm:-"]
    done = subprocess.run(command, input=ota_bitmap, capture_output=True, check=True, timeout=30)
    kind, width, height, *bits = done.stdout.decode().split()
    assert kind == "P1"
    drawn = "".join(bits).replace("0", ".").replace("1", "#")
    return [drawn[at * int(width) :][: int(width)] for at in range(int(height))]


def xml(wbxml: bytes) -> str:
    """A WBXML document as libwbxml writes it in XML."""
    command = [program("wbxml2xml"), "-m", "1", "-o", "-", "-"]
    done = subprocess.run(command, input=wbxml, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.decode()
