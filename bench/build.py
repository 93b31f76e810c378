"""Measures a clean build without ccache. Takes minutes, so it only runs on request."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from rows import Row, at_most


def build(_place, _effort):
    source = pathlib.Path(__file__).resolve().parent.parent
    directory = tempfile.mkdtemp(prefix="hobb-build-")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    try:
        began = time.monotonic()
        subprocess.run(["cmake", "--preset", "release", "-S", source, "-B", directory], **quiet)
        subprocess.run(
            ["cmake", "--build", directory, "-j2", "--target", "hob"], env=os.environ | {"CCACHE_DISABLE": "1"}, **quiet
        )
        took = time.monotonic() - began
    finally:
        shutil.rmtree(directory)
    return [Row("build", "clean build of hob, 2 jobs, no ccache", took, "s", must=at_most(240), reach=at_most(120))]
