"""The memory of one forward of tests/bench/llama.irplan in other systems, each in a process of its own: peers.py NAME SIZE...

Prints {"SIZE": bytes} and the versions as JSON. The model is the same: 4 layers, hidden 256, 8 heads, 4 of keys and values, ffn 688,
vocabulary 1000, f32, one sequence, no cache, the logits of all positions, attention as plain ops; the sequence is dynamic, up to 2048."""
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from asked import answer

HERE = Path(__file__).resolve().parent
LAYERS, D, H, KV, F, V, MOST = 4, 256, 8, 4, 688, 1000, 2048


def model():
    import torch
    from torch import nn

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(D))

        def forward(self, x):
            return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))

    def rotate(x, cos, sin):
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat((-b, a), -1) * sin

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            wide = lambda n, m: nn.Linear(n, m, bias=False)
            self.q, self.k, self.v, self.o = wide(D, D), wide(D, D * KV // H), wide(D, D * KV // H), wide(D, D)
            self.gate, self.up, self.down = wide(D, F), wide(D, F), wide(F, D)
            self.norm1, self.norm2 = Norm(), Norm()

        def forward(self, h, cos, sin, mask):
            x, s = self.norm1(h), h.shape[1]
            heads = lambda t, n: t.view(1, s, n, D // H).transpose(1, 2)
            q, k, v = rotate(heads(self.q(x), H), cos, sin), rotate(heads(self.k(x), KV), cos, sin), heads(self.v(x), KV)
            repeat = lambda t: t[:, :, None].expand(1, KV, H // KV, s, D // H).reshape(1, H, s, D // H)
            seen = torch.softmax(q @ repeat(k).transpose(2, 3) * (D // H) ** -0.5 + mask, -1)
            h = h + self.o((seen @ repeat(v)).transpose(1, 2).reshape(1, s, D))
            x = self.norm2(h)
            return h + self.down(nn.functional.silu(self.gate(x)) * self.up(x))

    class Llama(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.layers = nn.Embedding(V, D), nn.ModuleList(Layer() for _ in range(LAYERS))
            self.norm, self.head = Norm(), nn.Linear(D, V, bias=False)
            self.register_buffer("rate", 10000.0 ** (-torch.arange(0, D // H, 2) / (D // H)))

        def forward(self, tokens):
            at = torch.arange(tokens.shape[1])
            angle = at[:, None] * self.rate
            angle = torch.cat((angle, angle), -1)
            cos, sin = angle.cos(), angle.sin()
            mask = torch.where(at[None, :] <= at[:, None], 0.0, torch.finfo(torch.float32).min)
            h = self.wte(tokens)
            for layer in self.layers:
                h = layer(h, cos, sin, mask)
            return self.head(self.norm(h))

    torch.manual_seed(1)
    return Llama().eval()


def tokens(size):
    import torch
    return torch.arange(size)[None] % V


def dynamic():
    import torch
    return {"tokens": {1: torch.export.Dim("S", min=2, max=MOST)}}


def allocated(call):
    """the most that PyTorch's CPU allocator holds during the call, over what it held before"""
    from torch.profiler import ProfilerActivity, profile
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        kept = call()
    events = sorted((e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns())
    live = most = 0
    for event in events:
        live += event.nbytes()
        most = max(most, live)
    del kept
    return most


def inductor(sizes, planning=False, eager=False):
    import torch
    import torch._inductor.config as config
    config.memory_planning = planning
    net = model()
    with torch.no_grad():
        run = net if eager else torch.compile(net, dynamic=True)
        out = {}
        for size in sizes:
            for _ in range(2):
                run(tokens(size))
            out[size] = allocated(lambda: run(tokens(size)))
    return out, f"torch {torch.__version__}"


def heap():
    lib = ctypes.CDLL(None)
    lib.heap_live.restype = lib.heap_peak.restype = ctypes.c_long
    return lib


def exported(folder):
    import torch
    path = Path(folder) / "model.onnx"
    with torch.no_grad():
        torch.onnx.export(model(), (tokens(16),), str(path), dynamo=True, dynamic_shapes=dynamic(), input_names=["tokens"],
                          output_names=["logits"], external_data=False, verbose=False)
    return path


def onnxruntime(sizes, arena=True):
    import onnxruntime as ort
    lib = heap()
    with tempfile.TemporaryDirectory() as folder:
        path = str(exported(folder))
        out = {}
        for size in sizes:
            options = ort.SessionOptions()
            options.intra_op_num_threads = 2
            options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
            options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
            session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            feed = {"tokens": ort.OrtValue.ortvalue_from_numpy(tokens(size).numpy())}
            base = lib.heap_live()
            for _ in range(2):
                kept = session.run_with_ort_values(["logits"], feed)
                del kept
            lib.heap_reset_peak()
            kept = session.run_with_ort_values(["logits"], feed)
            out[size] = lib.heap_peak() - base
            del kept, session
    return out, f"onnxruntime {ort.__version__}"


def openvino(sizes):
    import openvino as ov
    lib = heap()
    with tempfile.TemporaryDirectory() as folder:
        net = ov.Core().compile_model(str(exported(folder)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        out = {}
        for size in sizes:
            base = lib.heap_live()
            request = net.create_infer_request()
            feed = ov.Tensor(tokens(size).numpy())
            for _ in range(3):
                lib.heap_reset_peak()
                request.set_input_tensor(feed)
                request.infer()
            out[size] = lib.heap_peak() - base
            del request
    return out, f"openvino {ov.__version__}"


def iree(sizes):
    import iree.runtime as rt
    from iree.compiler import version
    lib, tools = heap(), Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        text, module = Path(folder) / "model.mlir", Path(folder) / "model.vmfb"
        quiet = {**os.environ, "LD_PRELOAD": ""}
        subprocess.run([tools / "iree-import-onnx", exported(folder), "-o", text], check=True, env=quiet, capture_output=True)
        subprocess.run([tools / "iree-compile", text, "--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
                        "--iree-llvmcpu-target-cpu=host", "-o", module], check=True, env=quiet, capture_output=True)
        config = rt.Config("local-sync")
        loaded = rt.load_vm_module(rt.VmModule.mmap(config.vm_instance, str(module)), config)
        run = loaded[next(name for name in loaded.vm_module.function_names if name.startswith("main") and "$" not in name)]
        out = {}
        for size in sizes:
            feed = rt.asdevicearray(config.device, tokens(size).numpy())
            base = 0
            for _ in range(3):
                base = lib.heap_live()
                lib.heap_reset_peak()
                kept = run(feed)
                out[size] = lib.heap_peak() - base
                del kept
    return out, f"iree {version.VERSION}"


def executorch(sizes, each=False):
    import torch
    from executorch import version
    from executorch.exir import to_edge

    def planned(dims, size):
        with torch.no_grad():
            program = torch.export.export(model(), (tokens(size),), dynamic_shapes=dims)
        plan = to_edge(program).to_executorch().executorch_program.execution_plan[0]
        return sum(plan.non_const_buffer_sizes)

    out = {size: planned(None, size) for size in sizes} if each else dict.fromkeys(sizes, planned(dynamic(), 16))
    return out, f"executorch {version.__version__}"


PEERS = {
    "eager": lambda s: inductor(s, eager=True),
    "inductor": lambda s: inductor(s),
    "inductor-planned": lambda s: inductor(s, planning=True),
    "onnxruntime": lambda s: onnxruntime(s),
    "onnxruntime-plain": lambda s: onnxruntime(s, arena=False),
    "openvino": openvino,
    "iree": iree,
    "executorch": lambda s: executorch(s),
    "executorch-each": lambda s: executorch(s, each=True),
}
COUNTED = {"onnxruntime", "onnxruntime-plain", "openvino", "iree"}  # on the heap, which heap.c watches


def measure(name, sizes, folder, timeout):
    """{"bytes": {size: n}, "version": …}, or {"why": …} where the peer cannot be measured here"""
    env = {**os.environ, "OMP_NUM_THREADS": "2", "TORCHINDUCTOR_CACHE_DIR": str(Path(folder) / "inductor")}
    if name in COUNTED:
        library = Path(folder) / "heap.so"
        if not library.exists():
            built = subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "heap.c", "-ldl"], capture_output=True)
            if built.returncode:
                return {"why": "heap.c does not build here"}
        env["LD_PRELOAD"] = str(library)
    return answer([sys.executable, __file__, name, *map(str, sizes)], timeout, env)


if __name__ == "__main__":
    found, version = PEERS[sys.argv[1]]([int(s) for s in sys.argv[2:]])
    print(json.dumps({"bytes": {str(size): n for size, n in found.items()}, "version": version}))
