"""Steps of one decoder in other systems, for tests/bench/cpu.py: cpu_peers.py NAME JSON prints {"us": [...], "version": …}.

JSON: the model's sizes, "dtype" (f32, bf16, q8_0, q4_0), "batch", "context" (tokens in the caches before what is timed), "steps",
"length" (tokens a step), "threads", "folder" (where model files may be made, and are found again). Weights are random, and distinct in
every layer: some systems merge equal tensors, and a small set would lie in the caches."""
import json
import sys
import time
from pathlib import Path

import numpy as np


def tensors(m):
    """(name in GGUF, rows, columns) of all matrices, the norms' names"""
    d, f, kv = m["hidden"], m["ffn"], m["kv_heads"] * m["head"]
    yield "token_embd", m["vocabulary"], d
    for i in range(m["layers"]):
        for name, rows, columns in (("attn_q", m["heads"] * m["head"], d), ("attn_k", kv, d), ("attn_v", kv, d),
                                    ("attn_output", d, m["heads"] * m["head"]), ("ffn_gate", f, d), ("ffn_up", f, d), ("ffn_down", d, f)):
            yield f"blk.{i}.{name}", rows, columns


def stored(random, dtype, rows, columns):
    """random numbers of about 1 / sqrt(columns) as the bytes of a GGUF tensor"""
    if dtype in ("q8_0", "q4_0"):
        size, scale = (34, 1 / 73) if dtype == "q8_0" else (18, 1 / 4.6)
        blocks = random.integers(0, 256, (rows, columns // 32, size), dtype=np.uint8)
        d = (scale * columns ** -0.5 * (1 + random.random((rows, columns // 32)) / 8)).astype(np.float16)
        blocks[..., :2] = d[..., None].view(np.uint8)
        return blocks.reshape(rows, -1)
    numbers = random.random((rows, columns), dtype=np.float32)
    numbers -= 0.5
    numbers *= (12 / columns) ** 0.5
    return numbers if dtype == "f32" else (numbers.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)


def gguf_file(m):
    import gguf
    path = Path(m["folder"]) / f"{m['hidden']}x{m['layers']}-{m['dtype']}.gguf"
    if path.exists():
        return path
    kinds = {"f32": gguf.GGMLQuantizationType.F32, "bf16": gguf.GGMLQuantizationType.BF16, "q8_0": gguf.GGMLQuantizationType.Q8_0,
             "q4_0": gguf.GGMLQuantizationType.Q4_0}
    half = path.with_suffix(".part")
    w = gguf.GGUFWriter(half, "llama")
    w.add_block_count(m["layers"])
    w.add_context_length(8192)
    w.add_embedding_length(m["hidden"])
    w.add_feed_forward_length(m["ffn"])
    w.add_head_count(m["heads"])
    w.add_head_count_kv(m["kv_heads"])
    w.add_key_length(m["head"])
    w.add_value_length(m["head"])
    w.add_rope_dimension_count(m["head"])
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(500000.0)
    w.add_vocab_size(m["vocabulary"])
    w.add_tokenizer_model("no_vocab")
    random = np.random.default_rng(1)
    for name, rows, columns in tensors(m):
        data = stored(random, m["dtype"], rows, columns)
        w.add_tensor(name + ".weight", data, raw_dtype=None if m["dtype"] == "f32" else kinds[m["dtype"]])
    norms = [f"blk.{i}.{n}" for i in range(m["layers"]) for n in ("attn_norm", "ffn_norm")] + ["output_norm"]
    for name in norms:
        w.add_tensor(name + ".weight", 1 + random.random(m["hidden"], dtype=np.float32) / 8)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    half.rename(path)
    return path


def timed(m, step):
    """microseconds of the steps after the context; step(length, at) runs `length` tokens of each sequence"""
    at = 0
    while at < m["context"]:
        some = min(512, m["context"] - at)
        step(some, at)
        at += some
    times = []
    for _ in range(m["steps"]):
        begin = time.perf_counter()
        step(m["length"], at)
        times.append((time.perf_counter() - begin) * 1e6)
        at += m["length"]
    return times


def llama_cpp(m):
    import ctypes

    import llama_cpp as L
    quiet = L.llama_log_callback(lambda level, text, data: None)
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    L.llama_backend_init()
    model = L.llama_model_load_from_file(str(gguf_file(m)).encode(), L.llama_model_default_params())
    params = L.llama_context_default_params()
    params.n_ctx = m["batch"] * (m["context"] + m["steps"] * m["length"] + 64)
    params.n_batch = params.n_ubatch = 512
    params.n_seq_max = m["batch"]
    params.n_threads = params.n_threads_batch = m["threads"]
    context = L.llama_init_from_model(model, params)
    if not context:
        raise RuntimeError("no context")
    batch = L.llama_batch_init(512, 0, m["batch"])

    def step(length, at):
        for first in range(0, length, 512 // m["batch"]):
            some = min(512 // m["batch"], length - first)
            batch.n_tokens = some * m["batch"]
            for b in range(m["batch"]):
                for i in range(some):
                    k = b * some + i
                    batch.token[k] = (at + first + i) * 131 % 256
                    batch.pos[k] = at + first + i
                    batch.n_seq_id[k] = 1
                    batch.seq_id[k][0] = b
                    batch.logits[k] = first + i == length - 1
            if L.llama_decode(context, batch):
                raise RuntimeError("llama_decode failed")
            L.llama_get_logits(context)

    return timed(m, step), f"llama-cpp-python {L.__version__}"


def torch_eager(m):
    import torch
    from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu
    torch.set_num_threads(m["threads"])
    dtype = torch.bfloat16 if m["dtype"] == "bf16" else torch.float32
    generator = torch.Generator().manual_seed(1)
    w = {name: ((torch.rand(rows, columns, generator=generator) - 0.5) * (12 / columns) ** 0.5).to(dtype)
         for name, rows, columns in tensors(m)}
    norm = torch.ones(m["hidden"], dtype=dtype)
    most = m["context"] + m["steps"] * m["length"]
    caches = [torch.zeros(2, m["batch"], m["kv_heads"], most, m["head"], dtype=dtype) for _ in range(m["layers"])]
    rate = 500000.0 ** (-torch.arange(0, m["head"], 2) / m["head"])

    def rotate(x, cos, sin):
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat((-b, a), -1) * sin

    @torch.inference_mode()
    def step(length, at):
        tokens = (torch.arange(at, at + length) * 131 % 256).expand(m["batch"], length)
        angle = torch.arange(at, at + length)[:, None] * rate
        cos, sin = (torch.cat((f(angle), f(angle)), -1).to(dtype) for f in (torch.cos, torch.sin))
        h = w["token_embd"][tokens]
        mask = None if length == 1 else torch.arange(at + length) <= torch.arange(at, at + length)[:, None]
        for i, cache in enumerate(caches):
            x = rms_norm(h, (m["hidden"],), norm, 1e-5)
            heads = lambda name, n: linear(x, w[f"blk.{i}.{name}"]).view(m["batch"], length, n, m["head"]).transpose(1, 2)
            q = rotate(heads("attn_q", m["heads"]), cos, sin)
            cache[0, :, :, at:at + length] = rotate(heads("attn_k", m["kv_heads"]), cos, sin)
            cache[1, :, :, at:at + length] = heads("attn_v", m["kv_heads"])
            a = scaled_dot_product_attention(q, cache[0, :, :, :at + length], cache[1, :, :, :at + length], attn_mask=mask, enable_gqa=True)
            h = h + linear(a.transpose(1, 2).reshape(m["batch"], length, -1), w[f"blk.{i}.attn_output"])
            x = rms_norm(h, (m["hidden"],), norm, 1e-5)
            h = h + linear(silu(linear(x, w[f"blk.{i}.ffn_gate"])) * linear(x, w[f"blk.{i}.ffn_up"]), w[f"blk.{i}.ffn_down"])
        return linear(rms_norm(h[:, -1:], (m["hidden"],), norm, 1e-5), w["token_embd"]).float()

    return timed(m, step), f"torch {torch.__version__}"


def onnx_model(m):
    """a graph of the operators that ONNX Runtime has for decoders, as its own exporter of Llama makes it; weights of 8 or 4 bits by
    blocks of 32, multiplied in whole numbers as its exporter asks for it"""
    import onnx
    from onnx import TensorProto as T
    from onnx import helper
    path = Path(m["folder"]) / f"{m['hidden']}x{m['layers']}-{m['dtype']}.onnx"
    if path.exists():
        return path
    random = np.random.default_rng(1)
    nodes, constants = [], []
    shapes = {name: (rows, columns) for name, rows, columns in tensors(m)}
    most = m["most"]

    def constant(name, array):
        constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def node(op, inputs, outputs, domain="", **attributes):
        nodes.append(helper.make_node(op, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def product(name, x, y):
        rows, columns = shapes[name]
        if m["dtype"] not in ("q8_0", "q4_0"):
            numbers = (random.random((columns, rows), dtype=np.float32) - 0.5) * np.float32((12 / columns) ** 0.5)
            return node("MatMul", [x, constant(name, numbers)], [y])
        bits = 8 if m["dtype"] == "q8_0" else 4
        codes = random.integers(0, 256, (rows, columns // 32, 4 * bits), dtype=np.uint8)
        scales = np.float32(columns ** -0.5 / (73 if bits == 8 else 4.6)) * (1 + random.random(rows * columns // 32, dtype=np.float32) / 8)
        return node("MatMulNBits", [x, constant(name, codes), constant(name + ".scales", scales)], [y], "com.microsoft", K=columns, N=rows,
                    bits=bits, block_size=32, accuracy_level=4)

    norm = lambda name: constant(name, 1 + random.random(m["hidden"], dtype=np.float32) / 8)
    angles = np.arange(most)[:, None] * 500000.0 ** (-np.arange(0, m["head"], 2) / m["head"])
    cos, sin = constant("cos", np.cos(angles).astype(np.float32)), constant("sin", np.sin(angles).astype(np.float32))
    table = (random.random(shapes["token_embd"], dtype=np.float32) - 0.5) * np.float32((12 / m["hidden"]) ** 0.5)
    h = node("Gather", [constant("table", table), "tokens"], ["h"])
    cache = [m["batch"], m["kv_heads"], most, m["head"]]
    inputs = [helper.make_tensor_value_info("tokens", T.INT64, ["B", "S"]), helper.make_tensor_value_info("last", T.INT32, ["B"]),
              helper.make_tensor_value_info("total", T.INT32, [])]
    outputs = [helper.make_tensor_value_info("logits", T.FLOAT, ["B", 1, m["vocabulary"]])]
    for i in range(m["layers"]):
        at = f"blk.{i}."
        if i == 0:
            x = node("SimplifiedLayerNormalization", [h, norm(at + "norm")], [at + "x"], epsilon=1e-5, axis=-1)
        else:
            node("SkipSimplifiedLayerNormalization", [h, further, norm(at + "norm")], [at + "x", "", "", at + "h"], "com.microsoft",
                 epsilon=1e-5)
            x, h = at + "x", at + "h"
        q, k, v = (product(at + name, x, at + name + ".y") for name in ("attn_q", "attn_k", "attn_v"))
        states = [f"{what}.{i}" for what in ("k", "v")]
        for state in states:
            inputs.append(helper.make_tensor_value_info(state, T.FLOAT, cache))
            outputs.append(helper.make_tensor_value_info(state + ".next", T.FLOAT, cache))
        a = node("GroupQueryAttention", [q, k, v, *states, "last", "total", cos, sin], [at + "a", *(s + ".next" for s in states)],
                 "com.microsoft", num_heads=m["heads"], kv_num_heads=m["kv_heads"], do_rotary=1)
        o = product(at + "attn_output", a, at + "o")
        node("SkipSimplifiedLayerNormalization", [h, o, norm(at + "norm2")], [at + "x2", "", "", at + "h2"], "com.microsoft", epsilon=1e-5)
        h = at + "h2"
        gate, up = product(at + "ffn_gate", at + "x2", at + "gate"), product(at + "ffn_up", at + "x2", at + "up")
        silu = node("Mul", [gate, node("Sigmoid", [gate], [at + "sigmoid"])], [at + "silu"])
        further = product(at + "ffn_down", node("Mul", [silu, up], [at + "act"]), at + "down")
    node("SkipSimplifiedLayerNormalization", [h, further, norm("norm")], ["normed"], "com.microsoft", epsilon=1e-5)
    end = node("Slice", ["normed", constant("from", np.array([-1])), constant("to", np.array([2 ** 62])), constant("axis", np.array([1]))],
               ["end"])
    product("token_embd", end, "logits")
    model = helper.make_model(helper.make_graph(nodes, "llama", inputs, outputs, constants), ir_version=10,
                              opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)])
    half = path.with_suffix(".part")
    onnx.save(model, half, save_as_external_data=True, location=path.name + ".weights", size_threshold=1024)
    half.rename(path)
    return path


def onnx_runtime(m):
    import onnxruntime as ort
    m["most"] = 4096  # positions that the caches have; results are written where they are read
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = m["threads"], 1
    session = ort.InferenceSession(str(onnx_model(m)), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    names = [f"{what}.{i}" for i in range(m["layers"]) for what in ("k", "v")]
    for name in names:
        cache = ort.OrtValue.ortvalue_from_numpy(np.zeros((m["batch"], m["kv_heads"], m["most"], m["head"]), np.float32))
        binding.bind_ortvalue_input(name, cache)
        binding.bind_ortvalue_output(name + ".next", cache)
    binding.bind_output("logits")

    def step(length, at):
        tokens = np.broadcast_to(np.arange(at, at + length) * 131 % 256, (m["batch"], length))
        binding.bind_cpu_input("tokens", np.ascontiguousarray(tokens))
        binding.bind_cpu_input("last", np.full(m["batch"], at + length - 1, np.int32))
        binding.bind_cpu_input("total", np.array(at + length, np.int32))
        session.run_with_iobinding(binding)
        return binding.get_outputs()[-1]

    return timed(m, step), f"onnxruntime {ort.__version__}"


PEERS = {"llama.cpp": llama_cpp, "torch": torch_eager, "onnxruntime": onnx_runtime}

if __name__ == "__main__":
    times, version = PEERS[sys.argv[1]](json.loads(sys.argv[2]))
    print(json.dumps({"us": times, "version": version}))
