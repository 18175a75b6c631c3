"""Packages from npm that run a model in a browser: found where they are installed, else fetched once and checked.

They never come from a CDN, and a page loads them from its own folder only.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart import progress
from headstart.errors import OptionError
from headstart.home import find_home, read_json, write_whole
from headstart.sealed_folders import SEAL, is_sealed, seal_folder

VARIABLE = "HEADSTART_RUNTIME_WEB"
_DESCRIPTION = "package.json"
_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package of npm and the few files of it that a page needs.

    Parameters
    ----------
    name, version : str
    integrity : str
        sha512 of its archive, in base64, as npm states it.
    files : tuple of str
        Within the package.
    licence : str
    notice : str
        Whose it is.
    """

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]
    licence: str
    notice: str

    @property
    def folder(self) -> str:
        """Name of the folder that it is kept in."""
        return f"{self.name.replace('/', '-').lstrip('@')}-{self.version}"


ENGINE = Package(
    name="onnxruntime-web", version="1.30.0",
    integrity="q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    files=("dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"),
    licence="MIT", notice="Copyright (c) Microsoft Corporation. All rights reserved.",
)  # fmt: skip
TOKENIZERS = Package(
    name="@huggingface/tokenizers", version="0.2.0",
    integrity="LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg==",
    files=("dist/tokenizers.min.mjs",),
    licence="Apache-2.0", notice="Copyright The Hugging Face team.",
)  # fmt: skip


def find_package(package: Package, folder: Path | None, offline: bool) -> Path:
    """Return a folder that holds a package's files.

    Parameters
    ----------
    package : Package
    folder : Path or None
        A folder of installed packages (`node_modules`), the folder above it, or the package's own; the environment
        variable HEADSTART_RUNTIME_WEB where it is None.
    offline : bool
        Fetch nothing.

    Raises
    ------
    OptionError
        It is not where it was said to be; or it is nowhere, and cannot be fetched.
    """
    named = folder or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        return _find_installed(package, named)
    stored = find_home() / "web" / package.folder
    is_unsealed_copy = not (stored / SEAL).exists() and all((stored / name).is_file() for name in package.files)
    if is_sealed(stored) or is_unsealed_copy:  # Earlier versions kept these files without a seal.
        return stored
    if offline:
        raise OptionError(
            f"{package.name} is not on this machine and --offline was given.", _explain_installing(package)
        )
    _fetch(package, stored)
    return stored


def _find_installed(package: Package, folder: Path) -> Path:
    candidates = (folder, folder / package.name, folder / "node_modules" / package.name, folder / "package")
    for candidate in candidates:
        description = _read_description(candidate)
        if description.get("name") == package.name and all((candidate / name).is_file() for name in package.files):
            if description.get("version") != package.version:
                progress.warn(f"{package.name} {description.get('version')} is used; tested is {package.version}.")
            return candidate
    raise OptionError(f"{folder} holds no {package.name}.", _explain_installing(package))


def _read_description(folder: Path) -> Mapping[str, object]:
    try:
        description = read_json(folder / _DESCRIPTION)
    except (OSError, ValueError):
        return {}
    return description if isinstance(description, dict) else {}


def _explain_installing(package: Package) -> str:
    return (
        f"Run where there is a network: npm install --prefix WEB {ENGINE.name}@{ENGINE.version} "
        f"{TOKENIZERS.name}@{TOKENIZERS.version}, then add --runtime-web WEB."
    )


def _fetch(package: Package, target: Path) -> None:
    """Let npm fetch the archive, check it, and keep the files that are needed."""
    npm = shutil.which("npm")
    if npm is None:
        raise OptionError(f"{package.name} is not on this machine, and neither is npm, which would fetch it.",
                          _explain_installing(package))  # fmt: skip
    progress.say(f"Fetching {package.name} {package.version} with npm (once)")
    with tempfile.TemporaryDirectory() as name:
        line = [npm, "pack", f"{package.name}@{package.version}", "--ignore-scripts", "--silent"]
        try:
            subprocess.run(line, cwd=name, check=True, capture_output=True, timeout=_SECONDS)
        except (subprocess.SubprocessError, OSError) as error:
            raise OptionError(
                f"npm could not fetch {package.name} {package.version}.", _explain_installing(package)
            ) from error
        unpack(package, next(Path(name).glob("*.tgz")), target)


def unpack(package: Package, archive: Path, target: Path) -> None:
    """Check a package's archive and keep the files that are needed.

    Raises
    ------
    OptionError
        It is not the archive that was published.
    """
    with archive.open("rb") as handle:
        digest = base64.b64encode(hashlib.file_digest(handle, "sha512").digest()).decode()
    if digest != package.integrity:
        raise OptionError(
            f"The archive of {package.name} {package.version} is not the one that was published (its hash differs).",
            "Look at the npm registry that is set on this machine: npm config get registry.",
        )
    with tarfile.open(archive) as opened:
        for name in (_DESCRIPTION, *package.files):
            member = opened.extractfile(f"package/{name}")
            assert member is not None, name
            with write_whole(target / name) as partial:
                partial.write_bytes(member.read())
    seal_folder(target)


def format_licences(packages: Sequence[Package]) -> str:
    """Write what the licences of the packages ask to be written.

    Parameters
    ----------
    packages : sequence of Package
    """
    lines = [f"{one.name} {one.version}: {one.licence}. {one.notice}" for one in packages]
    return "\n\n".join(["This folder holds, beside Headstart's own files (Apache-2.0):", *lines, _MIT, _APACHE]) + "\n"


_MIT = """The MIT License
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:
The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.
THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""
_APACHE = "The Apache License, Version 2.0: see https://www.apache.org/licenses/LICENSE-2.0"
