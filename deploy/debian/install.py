"""Lays wheels out as a virtual environment, with byte code and without what a node never uses.

    python3 -m deploy.debian.install WHEELS ROOT >>SUBSTVARS

Run in the tools' root by debian/rules, by the Python of a node's own release: byte code is of one release of
Python and of no architecture. Prints, as a variable of debian/control, the packages that
the wheels' libraries need.
"""

from __future__ import annotations

import compileall
import csv
import io
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile

from deploy.debian.elf import Library, needs

PREFIX = Path("usr/lib/homenode")
SITE = PREFIX / "lib/python3.13/site-packages"
PYTHON = "/usr/bin/python3.13"
CONFIG = f"""\
home = /usr/bin
include-system-site-packages = true
version = 3.13
executable = {PYTHON}
"""
"""Debian's own packages are seen: python3-picamera2 of Raspberry Pi OS. What is in both is the wheel's."""
COMMAND = f"""\
#!/{PREFIX}/bin/python -I
import sys
from homenode.cli import main
sys.exit(main())
"""
"""-I: neither the environment nor the home of who calls it adds code."""
DEBIAN = {
    "libc.so.6": "libc6", "libm.so.6": "libc6", "libmvec.so.1": "libc6", "libdl.so.2": "libc6",
    "libpthread.so.0": "libc6", "librt.so.1": "libc6", "ld-linux-aarch64.so.1": "libc6",
    "ld-linux-x86-64.so.2": "libc6", "libgcc_s.so.1": "libgcc-s1", "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
}  # fmt: skip
"""The package of each library that wheels don't bring."""


def main(wheels: Path, root: Path) -> None:
    """The whole of it."""
    _environment(root)
    _own_wheel(Path("source"), wheels)
    for wheel in sorted(wheels.glob("*.whl")):
        _install(wheel, root)
    shutil.rmtree(root / PREFIX / "bin.wheels", ignore_errors=True)
    _prune(root / SITE, _lines("prune.txt"))
    _cut(root / SITE, _lines("cut.txt"))
    _drop_unneeded_libraries(root / SITE)
    _true_records(root / SITE)
    compiled = compileall.compile_dir(
        root / SITE, maxlevels=20, quiet=1, stripdir=str(root), prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip
    if not compiled:
        sys.exit("not everything could be compiled")
    print("wheels:Depends=" + ", ".join(_packages(root / SITE)))


def _environment(root: Path) -> None:
    binaries = root / PREFIX / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(PYTHON)
    (binaries / "python3").symlink_to("python")
    (root / PREFIX / "pyvenv.cfg").write_text(CONFIG)
    (binaries / "homenode").write_text(COMMAND)
    (binaries / "homenode").chmod(0o755)


def _own_wheel(source: Path, wheels: Path) -> None:
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, wheels.resolve()], cwd=source, check=True, stdout=sys.stderr)


def _install(wheel: Path, root: Path) -> None:
    schemes = {"purelib": SITE, "platlib": SITE, "data": PREFIX, "headers": PREFIX / "bin.wheels"}
    paths = {name: f"/{path}" for name, path in schemes.items()}
    destination = SchemeDictionaryDestination(
        scheme_dict={**paths, "scripts": f"/{PREFIX}/bin.wheels"},  # of all commands only ours is wanted
        interpreter=f"/{PREFIX}/bin/python",
        script_kind="posix",
        destdir=str(root),
    )
    with WheelFile.open(wheel) as source:
        install(source, destination, {"INSTALLER": b"homenode\n"})


def _lines(name: str) -> list[str]:
    lines = Path(__file__).with_name(name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _prune(site: Path, patterns: list[str]) -> None:
    """Each pattern has to find something, or it is of a version that is gone."""
    for pattern in patterns:
        found = sorted(site.glob(pattern))
        if not found:
            sys.exit(f"prune.txt: nothing is {pattern}")
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)  # went with its folder


def _cut(site: Path, lines: list[str]) -> None:
    """Libraries load less. Of a name at least one architecture's wheel has a library."""
    for line in lines:
        begin, *unwanted = line.split()
        (file,) = site.glob(f"{begin}*")
        library = Library(file.read_bytes())
        gone = {name for name in library.needed if name.startswith(tuple(unwanted))}
        brought = [next(site.glob(f"*.libs/{name}")) for name in sorted(gone)]
        symbols = {name for lost in brought for name in Library(lost.read_bytes()).defined()}
        file.write_bytes(library.without(gone, symbols))


def _drop_unneeded_libraries(site: Path) -> None:
    """Of the libraries that wheels bring (NAME.libs/), those that nothing loads any more."""
    while True:
        needed = {name for file in site.rglob("*.so*") for name in needs(file)}
        extra = [file for file in site.glob("*.libs/*") if file.name not in needed]
        if not extra:
            return
        for file in extra:
            file.unlink()


def _packages(site: Path) -> list[str]:
    libraries = list(site.rglob("*.so*"))
    loaded = {name for file in libraries for name in needs(file)} - {file.name for file in libraries}
    if unknown := loaded - DEBIAN.keys():
        sys.exit(f"no package is known for {', '.join(sorted(unknown))}")
    return sorted({DEBIAN[name] for name in loaded})


def _true_records(site: Path) -> None:
    """RECORD lists what is there, for whoever counts what a node is made of."""
    for record in site.glob("*.dist-info/RECORD"):
        rows = [row for row in csv.reader(io.StringIO(record.read_text())) if (site / row[0]).exists()]
        with record.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
