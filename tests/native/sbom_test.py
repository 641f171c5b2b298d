#!/usr/bin/env python3
"""The bill of materials of the build: CycloneDX, and every library that CMake asks for stands in it."""
import json
import os
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin")).parent
# What is asked for and is part of no binary: threads are the system's, and these run tests alone.
NO_PART = {"Threads", "Catch2", "Python3"}
NAMES = {"nlohmann_json": "nlohmann-json", "CUDAToolkit": "cuda-runtime", "ZLIB": "zlib"}


class Sbom(unittest.TestCase):
    def setUp(self):
        path = BUILD / "irplan.cdx.json"
        self.assertTrue(path.exists(), f"{path}: cmake writes it where it configures")
        self.sbom = json.loads(path.read_text())

    def test_form(self):
        self.assertEqual((self.sbom["bomFormat"], self.sbom["specVersion"], self.sbom["version"]), ("CycloneDX", "1.5", 1))
        self.assertRegex(self.sbom["serialNumber"], r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        product = self.sbom["metadata"]["component"]
        version = re.search(r"project\(irplan VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual((product["name"], product["version"]), ("irplan", version))
        refs = [product["bom-ref"]] + [c["bom-ref"] for c in self.sbom["components"]]
        self.assertEqual(len(refs), len(set(refs)))
        for component in self.sbom["components"]:
            self.assertRegex(component["version"], r"^\d+(\.\d+)+", component["name"])
            self.assertTrue(component["purl"].endswith(component["version"]), component)
            self.assertTrue(component["licenses"])
        depends = {d["ref"]: d["dependsOn"] for d in self.sbom["dependencies"]}
        self.assertEqual(sorted(depends["irplan"]), sorted(refs[1:]))
        self.assertNotIn(str(ROOT), json.dumps(self.sbom))

    def test_every_library_that_is_asked_for(self):
        asked = set()
        for path in [ROOT / "CMakeLists.txt", *ROOT.glob("core/**/CMakeLists.txt"), *ROOT.glob("native/**/CMakeLists.txt")]:
            asked.update(re.findall(r"find_package\((\w+)", path.read_text()))
        self.assertIn("nlohmann_json", asked)
        names = {c["name"] for c in self.sbom["components"]}
        for library in asked - NO_PART:
            self.assertIn(library, NAMES, f"{library} is asked for; core/sbom.cmake does not know it")
            if library != "CUDAToolkit":  # where kernels are built
                self.assertIn(NAMES[library], names)


if __name__ == "__main__":
    unittest.main()
