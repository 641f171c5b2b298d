#!/usr/bin/env python3
"""Configs as people have them: quantised, nested, tied or not, with and without biases, in every example that can meet them; and
checkpoints whose tensors have another prefix."""
import json
import math
import os
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import limited

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("IRPLAN_BIN", ROOT / "build/bin"))
EXAMPLES = ROOT / "examples/models"

BASE = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2, "intermediate_size": 48,
        "vocab_size": 64, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "torch_dtype": "float32"}
# example -> its smallest config
MODELS = {
    "llama": {**BASE, "model_type": "llama"},
    "cohere": {k: v for k, v in {**BASE, "model_type": "cohere2", "sliding_window": 16}.items() if k != "rms_norm_eps"},
    "gemma": {**BASE, "model_type": "gemma3_text", "head_dim": 8, "sliding_window": 16},
    "phi3": {**BASE, "model_type": "phi3"},
    "moe": {**BASE, "model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16,
            "norm_topk_prob": True},
    "gpt2": {"model_type": "gpt2", "n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 64, "vocab_size": 64},
    "deepseek_v3": {**BASE, "model_type": "deepseek_v3", "num_key_value_heads": 4, "q_lora_rank": None, "kv_lora_rank": 16,
                    "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4, "moe_intermediate_size": 16,
                    "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1, "norm_topk_prob": True, "routed_scaling_factor": 1.0,
                    "n_shared_experts": 1, "first_k_dense_replace": 1, "rope_theta": 10000.0},
}
# how a checkpoint says that it is quantised, and the words that its refusal has
QUANTISED = {
    "gptq": ("quantization_config", {"quant_method": "gptq", "bits": 4, "group_size": 128}),
    "awq": ("quantization_config", {"quant_method": "awq", "bits": 4}),
    "bitsandbytes": ("quantization_config", {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}),
    "compressed-tensors": ("quantization_config", {"quant_method": "compressed-tensors", "format": "pack-quantized"}),
    "hqq": ("quantization_config", {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4}}}),
    "fp8": ("quantization_config", {"quant_method": "fp8", "weight_block_size": None, "activation_scheme": "static"}),
    "aqlm": ("quantization_config", {"quant_method": "aqlm"}),
    "NVFP4": ("quantization_config", {"quant_algo": "NVFP4", "producer": {"name": "modelopt"}}),
    "torchao": ("quantization_config", {"quant_method": "torchao", "quant_type": "int4_weight_only"}),
    "MLX": ("quantization", {"group_size": 64, "bits": 4}),
    "eetq": ("quantization_config", {"quant_method": "eetq", "weights": "int8"}),
    "fbgemm_fp8": ("quantization_config", {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0}),
    "quark": ("quantization_config", {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}}}),
    "FP8": ("quantization_config", {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8"}}),
    "not named": ("compression_config", {"config_groups": {}}),
}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def config(self, config, name="config.json"):
        path = self.folder / name
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        return path

    def run_tool(self, tool, *args, code=0):
        done = limited.run([BIN / tool, *args], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stderr[:2000])
        return done.stdout, done.stderr

    def check(self, example, config, code=0, *options):
        return self.run_tool("irplan", "check", EXAMPLES / f"{example}.irplan", "--config", self.config(config), *options, code=code)[1]

    def plan(self, example, config, *options):
        out = self.run_tool("irplan", "plan", EXAMPLES / f"{example}.irplan", "--config", self.config(config), *options)[0]
        return json.loads(out)

    def params(self, example, config):
        """source -> elements"""
        return {v["source"]: math.prod(map(int, v["shape"])) for v in self.plan(example, config)["values"] if v["kind"] == "param"}


class Quantised(Case):
    def test_every_example_refuses_by_name(self):
        for example, model in MODELS.items():
            self.assertEqual(self.check(example, model), "", example)
            for words, (key, record) in QUANTISED.items():
                err = self.check(example, {**model, key: record}, 1)
                self.assertIn("E0232", err, (example, words))
                self.assertIn(words, err, (example, words))
                self.assertIn(f"`config.{key}", err, (example, words))
                self.assertIn("--retype weights=", err, (example, words))
                self.assertEqual(err.count("error["), 1, err)

    def test_nested(self):
        for example, model in MODELS.items():
            inner = {**model, "quantization_config": {"quant_method": "awq"}}
            self.assertIn("awq", self.check(example, {"model_type": "some_vl", "text_config": inner}, 1), example)
            inner = {"model_type": "some_vl", "llm_config": inner}
            self.assertIn("config.llm_config.quantization_config.quant_method", self.check(example, inner, 1), example)
            outer = {"model_type": "some_vl", "text_config": model, "quantization_config": {"quant_method": "awq"}}
            self.assertIn("awq", self.check(example, outer, 1), example)

    def test_bits_are_found_wherever_they_stand(self):
        """What is told, the dtype that counts the weights, and what `fit` takes for granted."""
        group = lambda **weights: {"config_groups": {"group_0": {"weights": weights, "input_activations": {"num_bits": 8, "type": "float"}}},
                                   "kv_cache_scheme": {"num_bits": 8, "type": "float"}}
        for record, told, dtype in (
                ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}}, "4 bits, group_size 64", "q4_0"),
                ({"quant_method": "compressed-tensors", "format": "pack-quantized", **group(num_bits=4, type="int", group_size=32)},
                 '4 bits, group_size 32, format "pack-quantized"', "q4_0"),
                ({"quant_method": "compressed-tensors", **group(num_bits=8, type="float", strategy="tensor")}, "8 bits of a float", "f8e4m3"),
                ({"quant_method": "compressed-tensors", **group(num_bits=8, type="int")}, "8 bits", "q8_0"),
                ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}}}, "8 bits of a float", "f8e4m3"),
                ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "uint4", "group_size": 32}}}, "4 bits, group_size 32", "q4_0"),
                ({"quant_method": "torchao", "quant_type": "int8_weight_only"}, "8 bits", "q8_0"),
                ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig", "_data": {"group_size": 32}}}},
                 "4 bits, group_size 32", "q4_0"),
                ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "4 bits", "q4_0"),
                ({"quant_method": "modelopt", "quant_algo": "FP8"}, "8 bits of a float", "f8e4m3"),
                ({"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}, "8 bits", "q8_0"),
                ({"quant_method": "quanto", "weights": "int8"}, "8 bits", "q8_0"),
                ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "8 bits of a float, weight_block_size [128, 128]", "f8e4m3"),
                ({"quant_method": "gptq", "bits": 4, "group_size": -1}, "4 bits, group_size -1", "q4_0"),  # rows are no multiple of 128
                ({"quant_method": "exl2", "bits": 4.65}, "4.65 bits", "q8_0"),
                ({"quant_method": "gguf"}, "`config.quantization_config.quant_method`)\n", "q4_0")):
            config = {**MODELS["llama"], "quantization_config": record}
            err = self.check("llama", config, 1)
            self.assertIn(told, err, record)
            fitted = json.loads(self.run_tool("irplan", "fit", self.config(config), "--format=json")[0])
            self.assertIn(f"counted as {dtype}", fitted["assumptions"][0], record)
            self.assertIn(record["quant_method"], fitted["assumptions"][0])
            self.assertIn(dtype, fitted["weights_by_dtype"])

    def test_both_keys_of_mlx_are_named(self):
        record = {"group_size": 64, "bits": 4}
        config = {**MODELS["llama"], "quantization": record, "quantization_config": record}
        err = self.check("llama", config, 1)
        self.assertIn("as MLX does", err)
        self.assertIn("leave `quantization` and `quantization_config` out", err)
        self.run_tool("irplan", "fit", self.config(config))

    def test_blocks_of_f8_are_served(self):
        blocks = {"quant_method": "fp8", "weight_block_size": [16, 16], "activation_scheme": "dynamic", "fmt": "e4m3"}
        self.assertEqual(self.check("deepseek_v3", {**MODELS["deepseek_v3"], "quantization_config": blocks}), "")
        for change in ({"weight_block_size": None}, {"activation_scheme": "static"}, {"fmt": "e5m2"}):
            err = self.check("deepseek_v3", {**MODELS["deepseek_v3"], "quantization_config": {**blocks, **change}}, 1)
            self.assertIn("weight_block_size", err)

    def test_a_program_that_does_not_look_is_warned(self):
        (self.folder / "own.irplan").write_text(
            "let D = config.hidden_size\ninput x: f32[1, S, D]\nout = output(rmsnorm(x, param f32[D] from \"w\", eps=1e-5))\n")
        config = self.config({**MODELS["llama"], "quantization": {"bits": 4, "group_size": 64}})
        err = self.run_tool("irplan", "check", "own.irplan", "--config", config)[1]
        self.assertIn("warning[W0205]: nothing reads `config.quantization`", err)
        self.assertIn("as MLX does", err)


class Shapes(Case):
    def test_nested_configs_are_the_same_models(self):
        for example, model in MODELS.items():
            flat = self.params(example, model)
            nested = {"model_type": "some_vl", "vision_config": {"hidden_size": 7, "model_type": "vit"}, "text_config": model}
            self.assertEqual(self.params(example, nested), flat, example)
            for other in ("llm_config", "language_config"):
                self.assertEqual(self.params(example, {"model_type": "some_vl", other: model}), flat, example)
            self.run_tool("irplan", "new", f"{example}.irplan", "--config", self.config(nested))
            self.assertEqual((self.folder / f"{example}.irplan").read_text(), (EXAMPLES / f"{example}.irplan").read_text())

    def test_heads(self):
        for example, model in MODELS.items():
            tied, untied = (self.params(example, {**model, "tie_word_embeddings": tie}) for tie in (True, False))
            self.assertNotIn("lm_head.weight", tied, example)
            self.assertEqual(untied.pop("lm_head.weight"), 64 * 32, example)
            self.assertEqual(tied, untied, example)
            wrapped = {"model_type": "some_vl", "text_config": model, "tie_word_embeddings": False}
            self.assertIn("lm_head.weight", self.params(example, wrapped), example)

    def biased(self, example, config):
        return {s.split(".")[-2] for s in self.params(example, config) if s.endswith(".bias")}

    def test_biases(self):
        qkv, qkvo = {"q_proj", "k_proj", "v_proj"}, {"q_proj", "k_proj", "v_proj", "o_proj"}
        llama = MODELS["llama"]
        for kind, off, on in (("llama", set(), qkvo), ("mistral", set(), set()), ("qwen2", qkv, qkv), ("qwen3", set(), qkvo)):
            config = {**llama, "model_type": kind, "sliding_window": None}
            self.assertEqual(self.biased("llama", config), off, kind)
            self.assertEqual(self.biased("llama", {**config, "attention_bias": False}), off, kind)
            self.assertEqual(self.biased("llama", {**config, "attention_bias": True}), on, kind)
            mlp = {"gate_proj", "up_proj", "down_proj"} if kind == "llama" else set()
            self.assertEqual(self.biased("llama", {**config, "mlp_bias": True}), off | mlp, kind)
        for example, on in (("gemma", qkvo), ("cohere", qkvo), ("moe", qkvo), ("deepseek_v3", {"kv_a_proj_with_mqa", "o_proj"})):
            self.assertEqual(self.biased(example, MODELS[example]), set(), example)
            self.assertEqual(self.biased(example, {**MODELS[example], "attention_bias": True}), on, example)
        mixtral = {**MODELS["moe"], "model_type": "mixtral", "num_local_experts": 4, "sliding_window": None}
        self.assertEqual(self.biased("moe", {**mixtral, "attention_bias": True}), set())


class Longrope(Case):
    def model(self, most, original):
        tables = {"type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2.0] * 4}
        return {**MODELS["phi3"], "max_position_embeddings": most, "original_max_position_embeddings": original, "rope_scaling": tables}

    def rows(self, plan):
        return {int(v["shape"][1]) for v in plan["values"] if v["kind"] == "state"}

    def test_the_capacity_is_what_short_texts_need(self):
        self.assertEqual(self.rows(self.plan("phi3", self.model(131072, 4096))), {4096})
        self.assertEqual(self.check("phi3", self.model(131072, 4096)), "")

    def test_a_longer_one_is_told(self):
        err = self.check("phi3", self.model(131072, 4096), 0, "--let", "C=16384")
        self.assertIn("warning[W0207]", err)
        self.assertIn("--let C=4096", err)
        self.assertEqual(self.check("phi3", self.model(131072, 4096), 0, "--let", "C=16384", "--allow", "W0207"), "")
        self.run_tool("irplan", "check", EXAMPLES / "phi3.irplan", "--config", self.config(self.model(131072, 4096)), "--let", "C=16384",
                      "--deny", "W0207", code=1)


class Positions(Case):
    """A cache of more tokens than the model has positions."""

    def told(self, example, config, *options):
        return "warning[W0208]" in self.check(example, config, 0, *options)

    def test_every_example(self):
        for example, config in MODELS.items():
            most = config.get("max_position_embeddings", config.get("n_positions"))
            self.assertFalse(self.told(example, config), example)
            self.assertFalse(self.told(example, config, "--let", f"C={most}"), example)
            said = self.check(example, config, 0, "--let", f"C={2 * most}")
            self.assertIn(f"the cache holds {2 * most} tokens of a text", said, example)
            self.assertIn(f"has {most} positions", said, example)
            self.assertIn(f"`--let C={most}`", said, example)
            self.assertFalse(self.told(example, config, "--let", f"C={2 * most}", "--allow", "w0208"), example)

    def test_what_has_which(self):
        self.assertIn("`wpe.weight` has 64 positions", self.check("gpt2", MODELS["gpt2"], 0, "--let", "C=65"))
        nested = {"model_type": "llava", "text_config": MODELS["llama"]}
        self.assertIn("`config.text_config.max_position_embeddings` has 128", self.check("llama", nested, 0, "--let", "C=129"))

    def test_a_scaling_counts(self):
        def scaled(kind="yarn", **scaling):
            return {**MODELS["llama"], "rope_scaling": {"rope_type": kind, "factor": 4.0, **scaling}}
        for config in (scaled("linear"), scaled(original_max_position_embeddings=128)):  # from 128 to 512
            self.assertFalse(self.told("llama", config, "--let", "C=512"))
            self.assertTrue(self.told("llama", config, "--let", "C=513"))
        self.assertFalse(self.told("llama", scaled(original_max_position_embeddings=32), "--let", "C=128"))  # 128 is the longer one
        self.assertTrue(self.told("llama", scaled(original_max_position_embeddings=32), "--let", "C=129"))


class Values(Case):
    def test_what_python_writes(self):
        text = json.dumps({**MODELS["llama"], "time_step_limit": [0.0, math.inf], "a": math.nan, "b": -math.inf})
        self.assertIn("-Infinity", text)
        self.assertEqual(self.check("llama", text, 0, "--allow", "W0205"), "")
        err = self.check("llama", json.dumps({**MODELS["llama"], "rms_norm_eps": math.inf}), 1)
        self.assertIn("`config.rms_norm_eps` is Infinity", err)
        self.assertIn("it is not JSON", self.check("llama", '{"a": Infinit}', 1))

    def test_floats_where_integers_are_needed(self):
        for key, shown in (("max_position_embeddings", "131072.0"), ("hidden_size", "32.0"), ("num_hidden_layers", "2.0"),
                           ("num_attention_heads", "4.0"), ("vocab_size", "64.0"), ("intermediate_size", "48.0")):
            err = self.check("llama", {**MODELS["llama"], key: float(shown)}, 1)
            self.assertEqual(err.count("error["), 1, err)
            self.assertIn(f"`config.{key}` is {shown}", err)
            self.assertIn(f"write {int(float(shown))} in the config", err)

    def test_dtypes(self):
        dtype = lambda word: {v["dtype"] for v in self.plan("llama", {**MODELS["llama"], "torch_dtype": word})["values"] if v["kind"] == "state"}
        for word, ours in (("float16", "f16"), ("torch.bfloat16", "bf16"), ("torch.float32", "f32"), ("bf16", "bf16")):
            self.assertEqual(dtype(word), {ours}, word)
        self.assertEqual(dtype(None), {"bf16"})
        for word, ours in (("fp16", "f16"), ("half", "f16"), ("BF16", "bf16"), ("float64", "f32"), ("torch.half", "f16")):
            err = self.check("llama", {**MODELS["llama"], "torch_dtype": word}, 1)
            self.assertEqual(err.count("error["), 1, err)
            self.assertIn(f'`config.torch_dtype` is "{word}"', err)
            self.assertIn(f"did you mean `{ours}`", err)
        for words, told in (("state=int8", "state=f8e4m3"), ("weights=int8", "weights=q8_0"), ("weights=4", "weights=q4_0"),
                            ("state=torch.float16", "state=f16"), ("cache=f16", "state=f16"), ("params=f16", "weights=f16")):
            self.assertIn(f"--retype {told}`", self.check("llama", MODELS["llama"], 1, "--retype", words), words)

    def test_indices_past_a_list(self):
        (self.folder / "list.irplan").write_text("for i in 3 { require config.kinds[i] == 1 }\ninput x: f32[S]\nout = output(silu(x))\n")
        err = self.run_tool("irplan", "check", "list.irplan", "--config", self.config({"kinds": [1, 1]}), code=1)[1]
        self.assertIn("there is no `config.kinds[2]`", err)
        self.assertIn("the last at 1", err)

    def test_keys_that_nothing_reads(self):
        err = self.check("llama", {**MODELS["llama"], "attn_logit_softcapping": 50.0})
        self.assertIn("warning[W0205]: nothing reads `config.attn_logit_softcapping`", err)
        self.assertEqual(self.check("llama", {**MODELS["llama"], "attn_logit_softcapping": None, "bos_token_id": 1}), "")

    def test_a_program_from_the_nearest_example_keeps_what_it_requires(self):
        config = self.config({**MODELS["llama"], "model_type": "frob"})
        self.run_tool("irplan", "new", "near.irplan", "--config", config)
        err = self.run_tool("irplan", "check", "near.irplan", "--config", config, code=1)[1]
        self.assertIn('"frob"', err)
        self.assertIn("E0232", err)


class Prefixes(Case):
    """The same tensors under other names."""

    def weights(self, rename):
        folder = ROOT / "tests/data/goldens/llama"
        data = (folder / "model.safetensors").read_bytes()
        size, = struct.unpack("<Q", data[:8])
        header = {rename(name): entry for name, entry in json.loads(data[8:8 + size]).items() if name != "__metadata__"}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        (self.folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size:])
        out = self.run_tool("irplan-run", EXAMPLES / "llama.irplan", "--config", folder / "config.json", "--weights", "model.safetensors",
                            "--tokens", "1,2,3", "--generate", "4")[0]
        return out.strip().splitlines()[-1]

    def test_prefixes(self):
        expected = self.weights(lambda name: name)
        self.assertRegex(expected, r"^\d+,\d+,\d+,\d+$")
        for rename in (lambda n: n.removeprefix("model."), lambda n: "language_model." + n,
                       lambda n: n.replace("model.", "model.language_model."), lambda n: "a.b." + n.removeprefix("model.")):
            self.assertEqual(self.weights(rename), expected, rename("model.norm.weight"))


if __name__ == "__main__":
    unittest.main()
