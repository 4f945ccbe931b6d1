"""What stands twice in deploy/ stays the same; systemd's own tools find no fault with its files."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.requirements import program

DEPLOY = Path(__file__).parents[2] / "deploy"
POSTFIX = DEPLOY / "postfix"
SYSTEMD = DEPLOY / "systemd"
UNITS = (SYSTEMD / "sms-milter.service", SYSTEMD / "sms-milter-web.service")


def services(file: str) -> dict[str, list[str]]:
    """The listeners in a file for master.cf: their options by port."""
    found = re.findall(r"^(\d+) +inet .*\n((?:  .*\n)+)", (POSTFIX / file).read_text(), re.MULTILINE)
    return {port: options.splitlines() for port, options in found}


def test_a_server_of_its_own_listens_as_the_listener_beside_others_and_offers_starttls() -> None:
    beside = services("master.cf")["2525"]
    starttls = "  -o smtpd_tls_security_level=may"
    assert services("master.cf.own-server") == {port: [*beside, starttls] for port in ("25", "587")}


def test_every_file_for_an_mta_is_used_by_a_test() -> None:
    root = DEPLOY.parent
    readers = [*(root / "tests").rglob("*.py"), *(root / "docs").glob("install-*.md")]
    texts = [path.read_text() for path in readers if path != Path(__file__)]
    for folder in ("postfix", "sendmail"):
        for name in sorted(path.name for path in (DEPLOY / folder).iterdir()):
            named = re.compile(
                rf'(deploy/{folder}/|"{folder}" / "|deployed\("{folder}/){re.escape(name)}(?![\w.-])'
            )
            assert any(map(named.search, texts)), f"deploy/{folder}/{name} is used by no test"


def verified(root: Path, name: str, unit: str) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze verify` on a machine that has nothing but systemd's own units and our program."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    (root / "lib").symlink_to("usr/lib")
    for file in ("usr/bin/sms-milter", "bin/sh"):
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).touch(0o755)
    (root / "etc/systemd/system").mkdir(parents=True)
    (root / "etc/systemd/system" / name).write_text(unit)
    command = [
        program("systemd-analyze"),
        "verify",
        "--man=no",
        "--recursive-errors=no",
        f"--root={root}",
        name,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path, file: Path) -> None:
    unit = file.read_text()
    done = verified(tmp_path / "root", file.name, unit)
    assert (done.returncode, done.stderr) == (0, "")
    misspelt = verified(tmp_path / "root", file.name, unit.replace("ProtectHome", "ProtectHomes"))
    assert "Unknown key 'ProtectHomes'" in misspelt.stderr


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_the_unit_is_hardly_exposed(file: Path) -> None:
    """`systemd-analyze security`: 10 is a service without any limits; the threshold is ten times that."""
    command = [program("systemd-analyze"), "security", "--offline=true", "--threshold=15", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_account_and_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for tool, file in (("systemd-sysusers", "sysusers.conf"), ("systemd-tmpfiles", "tmpfiles.conf")):
        create = ["--create"] if tool == "systemd-tmpfiles" else []
        subprocess.run([program(tool), f"--root={tmp_path}", *create, str(SYSTEMD / file)], check=True)
    name, _, user, group, _, home, shell = (tmp_path / "etc/passwd").read_text().strip().split(":")
    assert (name, home, shell) == ("sms-milter", "/var/lib/sms-milter", "/usr/sbin/nologin")
    for folder, owner in (("etc/sms-milter", 0), ("var/lib/sms-milter", int(user))):
        status = (tmp_path / folder).stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (owner, int(group), 0o750)


# Distributions of pyproject.toml as Debian 12 has them.
OF_DEBIAN = {
    "argon2-cffi": ("python3-argon2", "21.1.0"),
    "dkimpy": ("python3-dkim", "1.1.4"),
    "dnspython": ("python3-dnspython", "2.3.0"),
    "jinja2": ("python3-jinja2", "3.1.2"),
    "pillow": ("python3-pil", "9.4.0"),
    "prometheus-client": ("python3-prometheus-client", "0.16.0"),
    "pymilter": ("python3-milter", "1.0.5"),
    "pynacl": ("python3-nacl", "1.5.0"),
    "pyspf": ("python3-spf", "2.0.14"),
    "pyyaml": ("python3-yaml", "6.0"),
    "rich": ("python3-rich", "13.3.1"),
}


def test_the_debian_package_depends_on_what_we_need_or_brings_it_along_in_versions_that_will_do() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wishes = [
        *project["dependencies"],
        *(wish for name in optional if name != "test" for wish in optional[name]),
    ]
    source, binary = (
        set(re.findall(r"^ (python3-[\w-]+),", package, re.MULTILINE))
        for package in (DEPLOY / "debian/control").read_text().split("\n\n", 1)
    )
    vendored = dict(
        re.findall(r"^([\w-]+)==(\S+)", (DEPLOY / "debian/vendored.txt").read_text(), re.MULTILINE)
    )
    for wish in map(Requirement, wishes):
        package, version = OF_DEBIAN.get(wish.name.lower(), ("", ""))
        assert package in source & binary or wish.name in vendored
        assert wish.specifier.contains(vendored.get(wish.name, version)), wish


def test_the_debian_package_has_our_version() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    changelog = (DEPLOY / "debian/changelog").read_text()
    assert changelog.startswith(f"sms-milter ({project['version']}-")
