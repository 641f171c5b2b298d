"""Object files of native/cpu/isa hold no function that the linker may merge with another file's (native/cpu/isa/isa.h)."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

build = Path(os.environ["IRPLAN_BIN"]).resolve().parent
objects = sorted(build.glob("native/cpu/CMakeFiles/irplan_cpu.dir/isa/*.o"))
nm = shutil.which("nm") or shutil.which("llvm-nm")
if not objects or not nm:
    print("no object files of native/cpu/isa here" if nm else "no nm here")
    sys.exit(77)
SHARED = set("WVu")  # weak symbols: one of several definitions is taken
wrong = []
for path in objects:
    listing = subprocess.run([nm, "-C", path], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        kind, name = line[17:18], line[19:]
        if kind in SHARED and not name.startswith("DW.ref."):
            wrong.append(f"{path.name}: {name}")
print("\n".join(wrong) or f"{len(objects)} object files, none with a symbol that is shared")
sys.exit(1 if wrong else 0)
