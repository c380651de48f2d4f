"""Build the compiled form in place, where a C compiler and Python's headers are at hand.

    python native/build.py
    python native/build.py --sanitized FOLDER    into a folder, with checks of every address and operation

Installing runs it too (it is a build hook of hatchling), and goes on without it when it fails: Spamtide
works the same, only slower; `spamtide doctor` says which form is in use.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    "module",
    "brands",
    "cuts",
    "dates",
    "exchange",
    "fields",
    "fits",
    "fold",
    "links",
    "levels",
    "literals",
    "meetings",
    "mixes",
    "page",
    "page_text",
    "ramps",
    "redact",
    "render",
    "sketches",
    "text",
    "traits",
    "waves",
    "words",
)
FLAGS = ("-O3", "-std=c11", "-ffp-contract=off", "-fPIC", "-Wall", "-Wextra", "-Wno-unused-parameter")
SANITIZED = (
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
)
"""On top of FLAGS: what goes beyond memory, or is undefined, ends the process. tests/compiled/ uses it."""
LINKING = {"linux": ("-shared",), "darwin": ("-bundle", "-undefined", "dynamic_lookup")}
SECONDS = 300


def target() -> Path:
    """The module for the Python that runs this."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
    return ROOT / "src" / "spamtide" / f"_native{suffix}"


def build(module: Path | None = None, more: tuple[str, ...] = ()) -> str:
    """Compile and link; '' when done, else a line that says why not. An older module is never left."""
    module = module or target()
    module.unlink(missing_ok=True)
    if sys.platform not in LINKING:
        return f"not built on {sys.platform}"
    include = Path(sysconfig.get_paths()["include"])
    if not (include / "Python.h").is_file():
        return f"no Python.h in {include}"
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    unfinished = module.with_name(f"{module.name}.{os.getpid()}")
    fixed = [*FLAGS, *more, *LINKING[sys.platform], f"-I{include}", "-o", str(unfinished)]
    sources = [str(ROOT / "native" / f"{name}.c") for name in PARTS]
    why = ""
    for command in (shlex.split(compiler), ["cc"], ["gcc"], ["clang"]):
        try:
            done = subprocess.run(  # noqa: S603 - the machine's own compiler
                [*command, *fixed, *sources], capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = why or f"{command[0]}: {error}"
            continue
        if done.returncode == 0:
            unfinished.replace(module)
            return ""
        why = (done.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1]
    unfinished.unlink(missing_ok=True)
    return why


class CompiledForm(BuildHookInterface):  # type: ignore[misc]
    """Hatchling's way to `build`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are gathered; an editable installation finds it beside the sources."""
        del version
        why = build()
        if why:
            print(f"spamtide: without its compiled form ({why})", file=sys.stderr)
            return
        build_data["artifacts"].append(f"src/spamtide/{target().name}")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sanitized"]:
        problem = build(Path(sys.argv[2]) / target().name, SANITIZED)
    else:
        problem = build()
    print(problem or f"built {target().name}", file=sys.stderr)
    sys.exit(1 if problem else 0)
