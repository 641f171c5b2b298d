// Logits of a sequence are the same bytes whatever the company: how it was cut into steps, how many others
// run beside it and where in their sequences they are, in which slots, on how many threads.
#include <cstring>
#include <map>
#include <random>
#include <sstream>

#include "cpu/simd.h"
#include "native/plan_run.h"
#include "runtime/parallel.h"

using namespace irplan;
using namespace irplan::cpu;
using namespace irplan::test;

namespace {

constexpr int64_t kSequences = 3, kTokens = 75, kVocabulary = 48;

std::string config(const std::string& model) {
  return R"({"model_type": ")" + model + R"(", "hidden_size": 64, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 32, "intermediate_size": 96, "vocab_size": 48,
    "num_hidden_layers": 2, "rms_norm_eps": 1e-5, "dtype": "float32", "max_position_embeddings": 128,
    "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu", "sliding_window": 16})";
}

std::unique_ptr<Plan> plan_with(const std::string& model, const std::string& retype) {
  CompileOptions options;
  options.target = "cpu";
  options.config = config(model);
  options.lets = {{"every", "true"}, {"chunk", "64"}};
  std::istringstream words(retype);
  for (std::string word; words >> word;)
    options.retypes.emplace_back(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
  const Compilation done =
      compile(SourceText("llama.irplan", file_text("examples/models/llama.irplan")), options);
  INFO(render(done.diagnostics, done.source, false));
  REQUIRE(done.ok);
  return plan_of(done.plan_json);
}

int64_t token(int64_t sequence, int64_t position) {
  return (sequence * 31 + position * 7 + position * position % 11) % kVocabulary;
}

// Sequences [first, first + at.size()) go on by `count` tokens each, from positions `at`.
struct Piece {
  int64_t first, count;
  std::vector<int64_t> at;
};

// Sequences cut into steps at random: some of them alone, then neighbours together wherever they are.
std::vector<Piece> cut(std::mt19937& random) {
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  std::vector<Piece> pieces;
  std::vector<int64_t> at(kSequences, 0);
  for (;;) {
    std::vector<int64_t> open;
    for (int64_t s = 0; s < kSequences; ++s) {
      if (at[static_cast<size_t>(s)] < kTokens) open.push_back(s);
    }
    if (open.empty()) return pieces;
    Piece piece{open[static_cast<size_t>(below(static_cast<int64_t>(open.size())))], INT64_MAX, {}};
    const int64_t together = 1 + below(kSequences);
    for (int64_t s = piece.first; s < kSequences && s < piece.first + together; ++s) {
      const int64_t left = kTokens - at[static_cast<size_t>(s)];
      if (left == 0) break;
      piece.at.push_back(at[static_cast<size_t>(s)]);
      piece.count = std::min(piece.count, left);
    }
    piece.count = std::min(piece.count, below(3) == 0 ? 1 : 1 + below(40));
    for (size_t s = 0; s < piece.at.size(); ++s) at[static_cast<size_t>(piece.first) + s] += piece.count;
    pieces.push_back(std::move(piece));
  }
}

Step step_of_piece(const Plan& plan, const Piece& piece) {
  Step step = step_of(plan, piece.count == 1 ? "decode" : "prefill",
                      {{"B", static_cast<int64_t>(piece.at.size())}, {"S", piece.count}});
  for (size_t d = 0; d < plan.dims.size(); ++d) {
    if (plan.dims[d].per.empty()) continue;
    step.sizes.rows[d] = piece.at;
    step.sizes.dims[d] = *std::max_element(piece.at.begin(), piece.at.end());
  }
  step.first_slot = piece.first;
  return step;
}

// Logits by sequence and position.
using Logits = std::map<std::pair<int64_t, int64_t>, std::vector<float>>;

Logits logits_of(const Plan& plan, const std::vector<Piece>& pieces) {
  const auto backend = make_cpu_backend();
  Session session(plan, *backend);
  WeightSource weights;
  weights.seed = 7;
  const std::vector<Step> widest{
      step_of(plan, "prefill", {{"B", kSequences}, {"S", 64}, {"P", kTokens - 64}}),
      step_of(plan, "decode", {{"B", kSequences}, {"S", 1}, {"P", kTokens - 1}})};
  const Failure prepared = session.prepare(widest, weights);
  INFO(prepared.value_or(""));
  REQUIRE_FALSE(prepared);
  Logits out;
  for (const Piece& piece : pieces) {
    const Step step = step_of_piece(plan, piece);
    const Failure bound = session.bind(step);
    INFO(bound.value_or(""));
    REQUIRE_FALSE(bound);
    HostArray ids;
    ids.floats = false;
    ids.shape = {static_cast<int64_t>(piece.at.size()), piece.count};
    for (size_t s = 0; s < piece.at.size(); ++s) {
      for (int64_t i = 0; i < piece.count; ++i)
        ids.i.push_back(token(piece.first + static_cast<int64_t>(s), piece.at[s] + i));
    }
    REQUIRE_FALSE(session.set_input(*find_input(plan, "tokens"), ids));
    REQUIRE_FALSE(session.run());
    const auto array = session.read(find_output(plan, "logits", step.phase)->value);
    REQUIRE(array);
    auto from = array->f.begin();
    for (size_t s = 0; s < piece.at.size(); ++s) {
      for (int64_t i = 0; i < piece.count; ++i, from += kVocabulary)
        out[{piece.first + static_cast<int64_t>(s), piece.at[s] + i}] = {from, from + kVocabulary};
    }
  }
  return out;
}

// Where two of them differ first; empty where they are the same bytes.
std::string difference(const Logits& a, const Logits& b) {
  if (a.size() != b.size()) return "other positions";
  for (const auto& [at, numbers] : a) {
    if (std::memcmp(numbers.data(), b.at(at).data(), numbers.size() * sizeof(float)) != 0)
      return "sequence " + std::to_string(at.first) + ", position " + std::to_string(at.second);
  }
  return "";
}

// Parts out of order, of sizes that differ from loop to loop: what threads may do.
void shuffled_loop(int64_t count, int64_t, void (*body)(void*, int64_t, int64_t), void* of) {
  static std::mt19937 random(5);
  std::vector<std::pair<int64_t, int64_t>> parts;
  for (int64_t begin = 0; begin < count;) {
    const int64_t end =
        std::min(count, begin + 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(count)));
    parts.emplace_back(begin, end);
    begin = end;
  }
  std::shuffle(parts.begin(), parts.end(), random);
  for (const auto& [begin, end] : parts) body(of, begin, end);
}

}  // namespace

TEST_CASE("logits are the same bytes however sequences are cut into steps, batched, and shared out") {
  std::vector<Piece> alone;  // token by token, each sequence by itself
  for (int64_t s = 0; s < kSequences; ++s) {
    for (int64_t i = 0; i < kTokens; ++i) alone.push_back({s, 1, {i}});
  }
  const std::pair<const char*, const char*> kinds[] = {
      {"llama", ""},
      {"llama", "weights=bf16"},
      {"llama", "weights=f8e4m3"},
      {"llama", "weights=q8_0"},
      {"llama", "weights=q4_0"},
      {"llama", "weights=mxfp4"},
      {"llama", "state=f8e4m3"},
      {"llama", "state=q8_0"},
      {"llama", "weights=bf16 activations=i8"},
      {"llama", "weights=q8_0 activations=i8"},
      {"llama", "weights=q4_0 activations=i8"},
      {"mistral", ""},
      {"mistral", "state=bf16"},
  };
  std::mt19937 random(3);
  const char* chosen = simd().name;
  for (const auto& [model, retype] : kinds) {
    const auto plan = plan_with(model, retype);
    for (const Simd* simd : all_simd()) {
      INFO(model << " " << retype << ", " << simd->name);
      REQUIRE_FALSE(choose_isa(simd->name));
      lend_threads({});
      const Logits want = logits_of(*plan, alone);
      for (int trial = 0; trial < 2; ++trial) {
        lend_threads({4, shuffled_loop});
        CHECK(difference(want, logits_of(*plan, cut(random))) == "");
      }
      lend_machine_threads(2);
      CHECK(difference(want, logits_of(*plan, cut(random))) == "");
    }
  }
  CHECK_FALSE(choose_isa(chosen));
  lend_machine_threads(0);
}
