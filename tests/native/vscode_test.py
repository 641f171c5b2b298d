#!/usr/bin/env python3
"""The extension for VS Code: its manifest names what is there, and its grammar has the words of the language."""
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lsp_test

FOLDER = Path(__file__).resolve().parent.parent.parent / "web/vscode"


def words_of(rule):
    """The words between the brackets of \\b(…)\\b."""
    return set(re.search(r"\\b\(([\w|]+)\)\\b", rule["match"])[1].split("|"))


class Extension(unittest.TestCase):
    def setUp(self):
        self.manifest = json.loads((FOLDER / "package.json").read_text())
        self.points = self.manifest["contributes"]

    def test_what_the_manifest_names_is_there(self):
        for entry in self.points["languages"]:
            self.assertTrue((FOLDER / entry["configuration"]).is_file())
            json.loads((FOLDER / entry["configuration"]).read_text())
        for entry in self.points["grammars"]:
            self.assertTrue((FOLDER / entry["path"]).is_file())
        for entry in ("main", "browser"):  # made from the source of the same name
            built = Path(self.manifest[entry])
            self.assertEqual(built.parent, Path("dist"))
            self.assertTrue((FOLDER / "src" / built.name).is_file())

    def test_commands_and_settings_are_those_of_the_source(self):
        source = "\n".join(path.read_text() for path in sorted((FOLDER / "src").glob("*.js")))
        for command in self.points["commands"]:
            self.assertIn(f"'{command['command']}'", source)
        asked = set(re.findall(r"setting\('(\w+)'\)", source))
        self.assertEqual({f"irplan.{name}" for name in asked}, self.points["configuration"]["properties"].keys())

    def test_the_language_is_irplan(self):
        (language,) = self.points["languages"]
        (grammar,) = self.points["grammars"]
        self.assertEqual((language["id"], language["extensions"], grammar["language"]), ("irplan", [".irplan"], "irplan"))
        self.assertEqual(json.loads((FOLDER / grammar["path"]).read_text())["scopeName"], grammar["scopeName"])

    def test_the_grammar_has_the_words_of_the_language(self):
        client = lsp_test.Client()
        self.addCleanup(client.end)
        words = client.ask("irplan/words", {})
        rules = json.loads((FOLDER / self.points["grammars"][0]["path"]).read_text())["repository"]
        self.assertEqual(words_of(rules["keyword"]) | words_of(rules["constant"]), set(words["keywords"]))
        self.assertEqual(words_of(rules["dtype"]), set(words["dtypes"]))

    def test_every_request_of_the_extension_is_one_of_the_compiler(self):
        source = (FOLDER / "src/convert.js").read_text()
        asked = set(re.findall(r"'(textDocument/[\w/]+)'", source))
        self.assertGreater(len(asked), 12)
        with tempfile.TemporaryDirectory() as folder:
            client = lsp_test.Client()
            self.addCleanup(client.end)
            uri = (Path(folder) / "a.irplan").as_uri()
            client.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "irplan", "version": 1, "text": "let a = 1\n"}})
            place = {"line": 0, "character": 4}
            for method in sorted(asked):
                client.ask(method, {"textDocument": {"uri": uri}, "position": place, "range": {"start": place, "end": place}, "newName": "b"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
