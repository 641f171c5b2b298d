#include "fuzz/targets.h"

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>

#include "fuzz/json_twice.h"
#include "fuzz/subjects.h"
#include "ir/config.h"
#include "irplan/compile.h"
#include "irplan/pack.h"
#include "link/link.h"
#include "plan/plan.h"
#include "reference/executor.h"
#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "runtime/requests.h"
#include "runtime/safetensors.h"
#include "service/serve.h"

namespace irplan::fuzz {
namespace {

constexpr int64_t kMostBytes = 1 << 20;   // of a plan that is executed
constexpr int64_t kMostWork = 2'000'000;  // multiplications of such a plan
constexpr size_t kMostPacked = 64;        // buffers that are placed

// A refusal says why.
std::string refused(const std::string& why) { return why.empty() ? "refused without a reason" : ""; }

std::string check_config(std::string_view input) {
  // Reads keys of every kind, and lets numbers of the config become sizes, attributes and rounds.
  constexpr std::string_view kProgram = R"(let D = config.hidden_size ?? 64
let L = min(config.num_hidden_layers ?? 1, 4)
let heads = config.num_attention_heads ?? 2
let act = config.hidden_act ?? "silu"
let kinds = config.layer_types ?? ["full", "full", "full", "full"]
let scaling = config.rope_scaling ?? none
dim S in 1..config.max_position_embeddings ?? 128
input x: f32[1, S, D]
h = x
for i in L with h {
  w = param f32[D] from "layers.{i}.{act}"
  n = rmsnorm(h, w, eps=config.rms_norm_eps ?? 1e-5)
  q = rope(view(n, shape=[1, S, heads, D / heads]), base=config.rope_theta ?? 10000, scaling=scaling)
  m = kinds[i] == "full" ? silu(view(q, shape=[1, S, D])) : relu(view(q, shape=[1, S, D]))
  h = h + m
}
out = output(h * (config.scale ?? 1))
)";
  Span place;
  if (const auto config = Config::parse(input, &place); !config) {
    if (place.begin > place.end || place.end > input.size() + 1) return "a place outside of the config";
    if (const std::string wrong = refused(config.message()); !wrong.empty()) return wrong;
  }
  return check_compile(kProgram, input.empty() ? "{}" : input);
}

// ---- plans

// Runs an accepted plan at its own sizes, every buffer in an allocation of its own: a sanitizer sees what
// reaches outside.
std::string execute(const Plan& plan) {
  Binding binding;
  for (const Plan::Dim& dim : plan.dims) binding.push_back(dim.value);
  for (const Plan::Phase& phase : plan.phases) {
    StepBinding step{binding, {}};
    for (size_t d = 0; d < plan.dims.size(); ++d) {
      for (const Plan::PhaseDim& own : phase.dims) {
        if (own.name == plan.dims[d].name) step.dims[d] = own.value;
      }
    }
    for (const Plan::Dim& dim : plan.dims) step.rows.emplace_back(dim.per.empty() ? 0 : 1);
    const auto arena = bind_arena(plan, phase.name, step.dims);
    const auto work = evaluate(phase.flops, step.dims), moved = evaluate(phase.bytes, step.dims);
    if (!arena || !work || !moved) return "an accepted plan has no sizes at its own values";
    if (arena->bytes > kMostBytes || *work > kMostWork || *moved > kMostBytes) return "";
    for (const Plan::Dim& dim : plan.dims) {
      if (!dim.per.empty()) return "";  // rows with values of their own are for the tests of the runtime
    }
    std::vector<std::unique_ptr<std::byte[]>> held;
    const auto room = [&](int64_t bytes) {
      held.push_back(std::make_unique<std::byte[]>(static_cast<size_t>(bytes)));
      return held.back().get();
    };
    std::byte* const base = room(arena->bytes);
    PlanMemory memory;
    int64_t sum = 0;
    for (size_t i = 0; i < plan.buffers.size(); ++i) {
      const Plan::Buffer& buffer = plan.buffers[i];
      if (buffer.segment == Plan::Segment::Arena) {
        memory.buffers.push_back(buffer.phase == phase.name ? base + arena->offsets[i] : nullptr);
        continue;
      }
      const auto bytes = evaluate(buffer.bytes, step.dims);
      if (!bytes || *bytes < 0) return "a buffer of an accepted plan has no size: " + buffer.id;
      if ((sum += *bytes) > kMostBytes) return "";
      memory.buffers.push_back(room(*bytes));
    }
    run_phase(plan, "load", memory, step);
    run_phase(plan, phase.name, memory, step);
  }
  return "";
}

std::string check_plan(std::string_view input) {
  const auto plan = read_plan(input);
  if (!plan) return refused(plan.message());
  const std::string written = write_plan(*plan);
  const auto again = read_plan(written);
  if (!again) return "a plan that was read is refused when it is written: " + again.message();
  if (write_plan(*again) != written) return "a plan changes when it is written and read";
  return validate_plan(*plan).empty() ? execute(*plan) : "";
}

// ---- files

// In an allocation of its own size: a sanitizer sees what reads beyond it.
std::vector<std::byte> bytes_of(std::string_view input) {
  const auto* first = reinterpret_cast<const std::byte*>(input.data());
  return {first, first + input.size()};
}

// Both ends of what a tensor says it holds are read.
std::string check_tensor(const StoredTensor& tensor, size_t most) {
  if (tensor.bytes > most) return "a tensor is larger than its file";
  if (tensor.bytes == 0) return "";
  const volatile std::byte first = tensor.data[0], last = tensor.data[tensor.bytes - 1];
  static_cast<void>(first), static_cast<void>(last);
  return "";
}

std::string check_safetensors(std::string_view input) {
  const std::vector<std::byte> file = bytes_of(input);
  const auto read = Safetensors::read(file);
  if (!read) return refused(read.message());
  for (const NamedTensor& named : read->tensors()) {
    if (std::string wrong = check_tensor(named.tensor, file.size()); !wrong.empty()) return wrong;
    if (!read->find(named.name)) return "a tensor is not found by its name: " + named.name;
  }
  const Checkpoint checkpoint("fuzz", read->tensors());
  for (const std::string& name : checkpoint.names()) {
    const auto stored = checkpoint.find(name);
    if (!stored || !*stored) return "a checkpoint lacks a tensor of its own: " + name;
  }
  static_cast<void>(checkpoint.find("weight"));
  return "";
}

std::string check_shards(std::string_view input) {
  const auto index = CheckpointIndex::read(input);
  if (!index) return refused(index.message());
  for (const auto& [name, shard] : index->tensors) {
    if (shard >= index->shards.size()) return "a tensor in no shard: " + name;
  }
  for (const std::string& shard : index->shards) {
    if (shard.find('/') != std::string::npos || shard == "..")
      return "a shard outside of its folder: " + shard;
  }
  return "";
}

std::string check_npy(std::string_view input) {
  const std::vector<std::byte> file = bytes_of(input);
  const auto tensor = read_npy(file);
  return tensor ? check_tensor(*tensor, file.size()) : refused(tensor.message());
}

std::string check_requests(std::string_view input) {
  const auto read = read_requests(input, "requests.jsonl");
  if (!read) return refused(read.message());
  for (size_t i = 1; i < read->size(); ++i) {
    if ((*read)[i].arrival_us < (*read)[i - 1].arrival_us) return "requests are not by arrival";
  }
  return "";
}

std::string check_pack(std::string_view input) {
  const auto table = read_pack_csv(input);
  if (!table) return refused(table.message());
  if (table->buffers.size() > kMostPacked) return "";
  PackOptions options;
  options.node_limit = 200;
  const PackResult packed = pack(table->buffers, options);
  for (size_t i = 0; i < packed.offsets.size(); ++i) {
    const PackBuffer& a = table->buffers[i];
    if (packed.offsets[i] < 0 || packed.offsets[i] + a.size > packed.height) return "a buffer sticks out";
    for (size_t j = 0; j < i; ++j) {
      const PackBuffer& b = table->buffers[j];
      const bool together = a.lower < b.upper && b.lower < a.upper && a.lower < a.upper && b.lower < b.upper;
      if (together && packed.offsets[i] < packed.offsets[j] + b.size &&
          packed.offsets[j] < packed.offsets[i] + a.size)
        return "two buffers overlap";
    }
  }
  return packed.height < packed.bound ? "lower than the bound" : "";
}

// ---- the page

std::string check_serve(std::string_view input) {
  const std::string reply = serve(input);
  const auto json = nlohmann::json::parse(reply, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return "the reply is not a JSON object: " + reply.substr(0, 200);
  return "";
}

std::string check_link(std::string_view input) {
  const auto read = link::decode(input);
  if (!read) return refused(read.message());
  const auto again = link::decode(link::encode(read->record, read->version));
  if (!again) return "a link that was read is refused when it is written: " + again.message();
  return again->record == read->record && again->version == read->version
             ? ""
             : "another record: " + read->record.dump();
}

std::string check_source(std::string_view input) {
  if (std::string why = check_text(input); !why.empty()) return why;
  return check_compile(input, "{}");
}

std::string check_expression(std::string_view input) {
  Dims dims;
  for (const char* name : {"B", "S", "P", "C"}) dims.dim(name);
  const auto e = dims.parse(input);
  if (!e) return refused(e.message());
  if (e->text() != input) return "another text: " + e->text();
  const Ranges ranges{{0, 4}, {1, 9}, {0, 100}, {1, Interval::kUnbounded}};
  const Interval range = bounds(*e, ranges);
  for (const Binding& at : {Binding{0, 1, 0, 1}, Binding{4, 9, 100, 77}, Binding{2, 3, 50, 1}}) {
    const auto value = evaluate(*e, at);
    if (value && !range.contains(*value)) return "a value outside of its bounds";
    const auto same = evaluate(resolved(*e, ranges), at);
    if (value && same && *value != *same) return "another value where the ranges settle functions";
  }
  return "";
}

}  // namespace

std::string plan_of(std::string_view program) {
  CompileOptions options;
  options.config = "{}";
  return compile(SourceText("seed.irplan", std::string(program)), options).plan_json;
}

const std::vector<Target>& targets() {
  static const std::vector<Target> kTargets = {
      {"source", "a program: parsed, laid out, compiled, and its plan read again", check_source},
      {"config", "a config.json, and a program that reads it", check_config, true},
      {"plan", "a plan.json: read, validated, and executed where it is accepted", check_plan, true},
      {"json", "any JSON, read by two readers that must agree", read_twice, true},
      {"safetensors", "a file of weights", check_safetensors},
      {"shards", "the index of a checkpoint in several files", check_shards, true},
      {"npy", "an array", check_npy},
      {"pack", "a table of buffers, and their placement", check_pack},
      {"requests", "requests.jsonl", check_requests},
      {"links", "a link of the playground", check_link},
      {"serve", "what a page asks of the compiler in WebAssembly", check_serve, true},
      {"expression", "an expression over dims, as plans have them", check_expression},
  };
  return kTargets;
}

const Target* find_target(std::string_view name) {
  for (const Target& target : targets()) {
    if (name == target.name) return &target;
  }
  return nullptr;
}

}  // namespace irplan::fuzz
