#!/usr/bin/env python3
"""irplan lsp by its protocol: a client that opens, edits, asks, and says what no client should."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IRPLAN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin")) / "irplan"
MLP = """irplan 1
let D = config.hidden_size
dim B in 1..64
phase prefill { B in 1..64 }
phase decode { B = 1 }
input x: f16[B, D]
# Two products.
fn twice(t, w) {
  return linear(linear(t, w), w)
}
w = param f16[D, D]
h = x
for i in 3 with h {
  h = twice(h, w)
}
if phase == "decode" {
  y = silu(h)
} else {
  y = relu(h)
}
out = output(y)
"""


class Client:
    """What an editor is, without its windows."""

    def __init__(self, capabilities=None, options=None, root=None, initialize=True):
        self.process = subprocess.Popen([IRPLAN, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.next_id = 0
        self.notes = []
        self.asked = []
        self.answers = {}
        if initialize:
            params = {"processId": None, "rootUri": root.as_uri() if root else None, "capabilities": capabilities or {}, "initializationOptions": options}
            self.initialized = self.ask("initialize", params)
            self.tell("initialized", {})

    def raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        body = message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def read(self):
        length = None
        while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            raise EOFError("the server is gone")
        return json.loads(self.process.stdout.read(length))

    def tell(self, method, params):
        self.send({"method": method, "params": params})

    def request(self, method, params):
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        return self.next_id

    def wait(self, wanted):
        """The answer to a request, errors too; what else comes is kept."""
        while wanted not in self.answers:
            message = self.read()
            if "method" in message:
                (self.asked if "id" in message else self.notes).append(message)
            else:
                self.answers[message["id"]] = message
        return self.answers.pop(wanted)

    def ask(self, method, params):
        answer = self.wait(self.request(method, params))
        assert "result" in answer, answer
        return answer["result"]

    def refused(self, method, params):
        return self.wait(self.request(method, params))["error"]

    def diagnostics(self, uri, version=None):
        """The diagnostics of a version."""
        while True:
            for note in self.notes:
                params = note.get("params", {})
                if note["method"] == "textDocument/publishDiagnostics" and params["uri"] == uri and (version is None or params.get("version") == version):
                    self.notes.remove(note)
                    return params["diagnostics"]
            self.notes.append(self.read())

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def position(text, word, nth=0, inside=0):
    at = -1
    for _ in range(nth + 1):
        at = text.index(word, at + 1)
    at += inside
    line = text.count("\n", 0, at)
    before = text[text.rfind("\n", 0, at) + 1:at]
    return {"line": line, "character": len(before.encode("utf-16-le")) // 2}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def client(self, **options):
        client = Client(**options)
        self.addCleanup(client.end)
        return client

    def open(self, client, text, name="mlp.irplan", version=1):
        uri = (self.folder / name).as_uri()
        client.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "irplan", "version": version, "text": text}})
        return uri

    def at(self, uri, place):
        return {"textDocument": {"uri": uri}, "position": place}

    def mlp(self, text=MLP, config='{"hidden_size": 64}', **options):
        (self.folder / "config.json").write_text(config)
        client = self.client(**options)
        uri = self.open(client, text)
        return client, uri, client.diagnostics(uri, 1)


class Questions(Case):
    def test_a_program_with_its_config_is_without_fault(self):
        client, uri, diagnostics = self.mlp()
        self.assertEqual(diagnostics, [])

    def test_completion(self):
        text = MLP + "let a = config.\nlet b = config.rope.\nlet c = 24G\nz = rmsnorm(h, \nbudget \nk = rms\n"
        client, uri, _ = self.mlp(text, '{"hidden_size": 64, "rope": {"theta": 1e4}}')

        def labels(place):
            return {item["label"]: item for item in client.ask("textDocument/completion", self.at(uri, place))["items"]}

        self.assertEqual(labels(position(text, "config.", 1, 7)).keys(), {"hidden_size", "rope"})
        self.assertEqual(labels(position(text, "rope.", 0, 5)).keys(), {"theta"})
        self.assertIn("24GiB", labels(position(text, "24G", 0, 3)))
        attributes = labels(position(text, "rmsnorm(h, ", 0, 11))
        self.assertEqual(attributes["eps"]["textEdit"]["newText"], "eps=")
        self.assertIn("h", attributes)
        self.assertIn("memory", labels(position(text, "budget ", 0, 7)))
        names = labels(position(text, "k = rms", 0, 7))
        self.assertTrue(names["rmsnorm"]["detail"].startswith("x["))
        self.assertIn("Shape", names["rmsnorm"]["documentation"]["value"])
        self.assertIn("twice", names)
        self.assertNotIn("t", names)  # a parameter is known in its function alone
        self.assertIn("t", labels(position(text, "linear(t", 0, 0)))
        self.assertIn("dim", labels({"line": len(text.splitlines()), "character": 0}))

    def test_hover(self):
        client, uri, _ = self.mlp()

        def hover(place):
            return client.ask("textDocument/hover", self.at(uri, place))["contents"]["value"]

        told = hover(position(MLP, "y = silu"))
        self.assertIn("f16[1, 64]", told)
        self.assertIn("128 B", told)
        self.assertIn("cuda_silu", told)
        self.assertIn("bound 3 times", hover(position(MLP, "h = twice")))
        self.assertIn("dim B in 1..64", hover(position(MLP, "f16[B", 0, 4)))
        self.assertIn("hidden_size = 64", hover(position(MLP, "hidden_size")))
        self.assertIn("Two products.", hover(position(MLP, "twice(h")))
        self.assertIn("relu", hover(position(MLP, "relu")))

    def test_signature_help_follows_the_arguments(self):
        client, uri, _ = self.mlp()
        first = client.ask("textDocument/signatureHelp", self.at(uri, position(MLP, "twice(h", 0, 6)))
        second = client.ask("textDocument/signatureHelp", self.at(uri, position(MLP, "twice(h, w", 0, 9)))
        self.assertEqual((first["signatures"][0]["label"], first["activeParameter"], second["activeParameter"]), ("twice(t, w)", 0, 1))

    def test_inlay_hints_have_shape_and_bytes(self):
        client, uri, _ = self.mlp()
        everything = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        hints = client.ask("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": everything})
        by_line = {hint["position"]["line"]: hint["label"] for hint in hints}
        self.assertEqual(by_line[1], "= 64")
        self.assertTrue(by_line[18].startswith(": f16[B, 64], "), by_line)

    def test_definition_knows_phases_and_arms(self):
        client, uri, _ = self.mlp()

        def lines(place):
            return [one["range"]["start"]["line"] for one in client.ask("textDocument/definition", self.at(uri, place))]

        self.assertEqual(lines(position(MLP, "output(y", 0, 7)), [16, 18])
        self.assertEqual(lines(position(MLP, "silu(h", 0, 5)), [11, 13])
        self.assertEqual(lines(position(MLP, "twice(h")), [7])
        self.assertEqual(lines(position(MLP, '"decode"', 0, 2)), [4])

    def test_references_and_highlights(self):
        client, uri, _ = self.mlp()
        place = position(MLP, "w = param")
        found = client.ask("textDocument/references", {**self.at(uri, place), "context": {"includeDeclaration": True}})
        uses = client.ask("textDocument/references", {**self.at(uri, place), "context": {"includeDeclaration": False}})
        self.assertEqual((len(found), len(uses)), (2, 1))  # the parameter `w` is another one
        kinds = [one["kind"] for one in client.ask("textDocument/documentHighlight", self.at(uri, place))]
        self.assertEqual(sorted(kinds), [2, 3])

    def test_rename_keeps_the_checkpoint_and_refuses_what_collides(self):
        client, uri, _ = self.mlp()
        place = position(MLP, "w = param")
        edits = client.ask("textDocument/rename", {**self.at(uri, place), "newName": "weight"})["changes"][uri]
        self.assertEqual(sorted(edit["newText"] for edit in edits), [' from "w"', "weight", "weight"])
        for word, why in (("h", "bound already"), ("let", "word of the language"), ("f16", "dtype"), ("2x", "not a name"), ("", "not a name")):
            error = client.refused("textDocument/rename", {**self.at(uri, place), "newName": word})
            self.assertIn(why, error["message"])
        self.assertIn("word of the language", client.refused("textDocument/prepareRename", self.at(uri, position(MLP, "silu")))["message"])
        self.assertEqual(client.ask("textDocument/prepareRename", self.at(uri, place))["placeholder"], "w")

    def test_symbols_folding_colours_and_layout(self):
        text = MLP.replace("h = x", "h   =  x")
        client, uri, _ = self.mlp(text)
        this = {"textDocument": {"uri": uri}}
        symbols = {one["name"]: one for one in client.ask("textDocument/documentSymbol", this)}
        self.assertLessEqual({"D", "B", "decode", "x", "twice", "w", "y", "out", "for i"}, symbols.keys())
        folds = client.ask("textDocument/foldingRange", this)
        self.assertIn((7, 8), [(fold["startLine"], fold["endLine"]) for fold in folds])
        legend = client.initialized["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"]
        data = client.ask("textDocument/semanticTokens/full", this)["data"]
        words, line, character = {}, 0, 0
        lines = text.splitlines()
        for i in range(0, len(data), 5):
            line, character = (line, character + data[i + 1]) if data[i] == 0 else (line + data[i], data[i + 1])
            words[lines[line][character:character + data[i + 2]]] = legend[data[i + 3]]
        self.assertEqual({word: words[word] for word in ("dim", "B", "f16", "t", "twice", "# Two products.", "decode")},
                         {"dim": "keyword", "B": "typeParameter", "f16": "type", "t": "parameter", "twice": "function", "# Two products.": "comment",
                          "decode": "enum"})
        edits = client.ask("textDocument/formatting", {**this, "options": {"tabSize": 2, "insertSpaces": True}})
        self.assertEqual(len(edits), 1)
        self.assertEqual(edits[0]["range"]["start"]["line"], 11)

    def test_quick_fixes_are_those_of_the_diagnostics(self):
        text = MLP.replace("silu(h)", "sliu(h)")
        client, uri, diagnostics = self.mlp(text)
        self.assertEqual([one["severity"] for one in diagnostics], [1])
        actions = client.ask("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": diagnostics[0]["range"], "context": {"diagnostics": diagnostics}})
        self.assertEqual(actions[0]["edit"]["changes"][uri][0]["newText"], "silu")

    def test_a_half_typed_statement_leaves_the_rest_resolved(self):
        text = MLP.replace("h = x\n", "h = x\nq = linear(h,\n")
        client, uri, diagnostics = self.mlp(text)
        self.assertEqual(len(diagnostics), 1)
        found = client.ask("textDocument/definition", self.at(uri, position(text, "linear(h", 0, 7)))
        self.assertEqual(found[0]["range"]["start"]["line"], 11)
        after = client.ask("textDocument/definition", self.at(uri, position(text, "twice(h", 0, 6)))
        self.assertEqual([one["range"]["start"]["line"] for one in after], [11, 14])


class Editing(Case):
    def test_incremental_changes_in_both_encodings(self):
        text = '# 😀 größe\nirplan 1\ninput x: f32[4]  # 😀\ny = silu(x)\nout = output(y)\n'
        for encodings, width in ((["utf-16"], 2), (["utf-8", "utf-16"], 4)):
            client = self.client(capabilities={"general": {"positionEncodings": encodings}})
            self.assertEqual(client.initialized["capabilities"]["positionEncoding"], encodings[0])
            uri = self.open(client, text)
            self.assertEqual(client.diagnostics(uri, 1), [])
            # Behind the emoji of the first line comes another word; `silu` becomes `siluu`.
            changes = [{"range": {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 2 + width}}, "text": "é"},
                       {"range": {"start": {"line": 3, "character": 8}, "end": {"line": 3, "character": 8}}, "text": "u"}]
            client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes})
            found = client.diagnostics(uri, 2)
            self.assertEqual(len(found), 1)
            self.assertEqual(found[0]["range"], {"start": {"line": 3, "character": 4}, "end": {"line": 3, "character": 9}})
            client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": 3}, "contentChanges": [{"text": text}]})
            self.assertEqual(client.diagnostics(uri, 3), [])
            client.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
            self.assertEqual(client.diagnostics(uri), [])

    def test_answers_hold_while_the_text_is_newer_than_the_plan(self):
        client, uri, _ = self.mlp()
        broken = MLP.replace("h = x\n", "h = x\nq = linear(\n")
        client.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": broken}]})
        told = client.ask("textDocument/hover", self.at(uri, position(broken, "y = silu")))["contents"]["value"]
        self.assertIn("f16[", told)

    def test_the_config_is_the_one_beside_it_or_the_one_that_is_set_or_open(self):
        client, uri, _ = self.mlp()
        config = self.folder / "config.json"
        client.tell("textDocument/didOpen", {"textDocument": {"uri": config.as_uri(), "languageId": "json", "version": 1, "text": '{"hidden_size": 32'}})
        self.assertEqual(len(client.diagnostics(config.as_uri())), 1)
        client.tell("textDocument/didChange", {"textDocument": {"uri": config.as_uri(), "version": 2}, "contentChanges": [{"text": '{"hidden_size": 32}'}]})
        self.assertEqual(client.diagnostics(config.as_uri()), [])
        self.assertIn("= 32", client.ask("textDocument/hover", self.at(uri, position(MLP, "hidden_size")))["contents"]["value"])
        (self.folder / "other.json").write_text('{"hidden_size": 16}')
        client.tell("workspace/didChangeConfiguration", {"settings": {"irplan": {"config": "other.json"}}})
        self.assertIn("= 16", client.ask("textDocument/hover", self.at(uri, position(MLP, "hidden_size")))["contents"]["value"])

    def test_without_a_config_that_is_told(self):
        client = self.client()
        uri = self.open(client, MLP)
        self.assertTrue(any("config" in one["message"] for one in client.diagnostics(uri, 1)))


class Hostile(Case):
    def lives(self, client, uri=None):
        self.assertEqual(client.refused("no/such", {})["code"], -32601)

    def test_life_cycle(self):
        client = self.client(initialize=False)
        self.assertEqual(client.refused("textDocument/hover", {})["code"], -32002)
        client.tell("textDocument/didOpen", {"textDocument": {}})
        client.ask("initialize", {"capabilities": {}})
        self.assertEqual(client.refused("initialize", {})["code"], -32600)
        self.assertIsNone(client.ask("shutdown", None))
        self.assertEqual(client.refused("textDocument/hover", {})["code"], -32600)
        client.tell("exit", None)
        self.assertEqual(client.process.wait(), 0)
        rude = self.client()
        rude.tell("exit", None)
        self.assertEqual(rude.process.wait(), 1)
        gone = self.client()
        gone.process.stdin.close()
        self.assertEqual(gone.process.wait(), 1)

    def test_messages_that_are_none(self):
        client = self.client()
        for body, code in ((b"{", -32700), (b"\xff\xfe", -32700), (b"", -32700), (b"[]", -32600), (b"3", -32600), (b'{"id":1}', -32600),
                           (b'{"id":{},"method":"shutdown"}', -32600), (b'{"id":1.5,"method":"shutdown"}', -32600), (b'{"id":1,"method":3}', -32600),
                           (b"[" * 100000, -32700), (b"[" * 50000 + b"]" * 50000, -32700)):
            client.send(body)
            error = client.read()
            self.assertEqual(error["error"]["code"], code, body[:40])
        self.lives(client)

    def test_headers_that_are_none(self):
        client = self.client()
        for header in (b"Content-Length: many\r\n\r\n", b"Content-Length: -3\r\n\r\n", b"X: y\r\n\r\n", b"a" * 100000 + b"\r\n\r\n", b"Content-Length:\r\n\r\n"):
            client.raw(header)
            self.assertEqual(client.read()["error"]["code"], -32600, header[:40])
            self.lives(client)
        huge = (64 << 20) + 1
        client.raw(b"Content-Length: %d\r\n\r\n" % huge)
        for _ in range(65):
            client.raw(b" " * (1 << 20))
        client.raw(b" " * (huge - (65 << 20))) if huge > 65 << 20 else None
        self.assertIn("longer than", client.read()["error"]["message"])

    def test_a_message_that_never_comes_whole(self):
        client = self.client()
        client.raw(b"Content-Length: 99999999999999999999999\r\n\r\n{}")
        client.process.stdin.close()
        self.assertIn("longer than", client.read()["error"]["message"])
        self.assertEqual(client.process.wait(), 1)

    def test_parameters_that_are_none(self):
        client, uri, _ = self.mlp()
        methods = [method for method in ("completion", "hover", "signatureHelp", "definition", "references", "documentHighlight", "prepareRename", "rename", "inlayHint",
                                         "codeAction", "semanticTokens/range")]
        places = ({"line": -1, "character": 0}, {"line": 0.5, "character": 0}, {"line": "0", "character": 0}, {}, None, [], 7, {"line": 1})
        for method in methods:
            for place in places:
                error = client.refused(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": place, "range": place, "newName": "a"})
                self.assertEqual(error["code"], -32602)
            for params in (None, [], 3, {"textDocument": 3}, {"textDocument": {"uri": "file:///no"}}, {"textDocument": {"uri": [uri]}}):
                self.assertEqual(client.refused(f"textDocument/{method}", params)["code"], -32602)
        far = {"line": 2**40, "character": 2**40}
        client.ask("textDocument/completion", self.at(uri, far))
        self.assertIsNone(client.ask("textDocument/hover", self.at(uri, far)))
        for params in (None, {}, {"textDocument": {"uri": uri}}, {"textDocument": {"uri": uri}, "contentChanges": [3]},
                       {"textDocument": {"uri": uri}, "contentChanges": [{"range": {"start": far}, "text": "x"}]}):
            client.tell("textDocument/didChange", params)
            client.tell("textDocument/didOpen", params)
            client.tell("textDocument/didClose", {"textDocument": {"uri": 5}})
        client.tell("$/unknown", {})
        self.lives(client)

    def test_every_place_of_every_damaged_program_has_an_answer(self):
        client = self.client()
        texts = ["", "\n", "(" * 3000, "fn f(" * 300, "if phase == " * 50, '"' + "{" * 300, "a = b ? " * 200, "let a = a\n" * 50, "x = " + "1 + " * 3000, MLP[:200], MLP[50:],
                 "fn f(x) { return f(x) }\ny = f(\n", "for i in 3 with h { h = ", "phase decode { S", "budget decode.", "input x: f16[B, ", "\0\1\2", "é" * 50, "a.b.c.d[0].\n"]
        for number, text in enumerate(texts):
            uri = self.open(client, text, f"{number}.irplan")
            waiting = []
            for method in ("completion", "hover", "signatureHelp", "definition", "references", "prepareRename"):
                for character in (0, 1, 5, len(text) // 2, len(text)):
                    waiting.append(client.request(f"textDocument/{method}", self.at(uri, {"line": 0, "character": character})))
            for method in ("documentSymbol", "foldingRange", "semanticTokens/full", "formatting"):
                waiting.append(client.request(f"textDocument/{method}", {"textDocument": {"uri": uri}}))
            for one in waiting:
                answer = client.wait(one)
                self.assertTrue("result" in answer or answer["error"]["code"] == -32803, answer)
        self.lives(client)

    def test_a_request_that_is_cancelled_while_it_waits(self):
        client, uri, _ = self.mlp()
        one, two = 1001, 1002
        messages = b""
        for message in ({"id": one, "method": "textDocument/hover", "params": self.at(uri, {"line": 1, "character": 4})},
                        {"id": two, "method": "textDocument/hover", "params": self.at(uri, {"line": 1, "character": 4})},
                        {"method": "$/cancelRequest", "params": {"id": two}}):
            body = json.dumps({"jsonrpc": "2.0", **message}).encode()
            messages += b"Content-Length: %d\r\n\r\n" % len(body) + body
        client.raw(messages)
        answer = client.wait(two)
        self.assertTrue("result" in answer or answer["error"]["code"] == -32800)  # it may have been answered before
        self.assertIn("result", client.wait(one))
        client.tell("$/cancelRequest", {"id": 5})
        client.tell("$/cancelRequest", None)
        self.lives(client)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
