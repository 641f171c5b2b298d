// What an editor waits for: a new text, then a question about it, as the protocol has both.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "bench/bench.h"
#include "service/language/protocol.h"

namespace irplan::bench {
namespace {

using language::json;

constexpr double kAnswer = 0.005;  // seconds, of a keystroke's questions

std::string two_hundred_ops() {
  std::string text = "input x: f16[1, S, 1024]\nh0 = x\n";
  for (int i = 0; i < 200; ++i) text += "h" + std::to_string(i + 1) + " = silu(h" + std::to_string(i) + ")\n";
  return text + "out = output(h200)\n";
}

void ask(const std::string& what, const std::string& text, const std::string& config) {
  language::Document document("bench.irplan", text);
  document.set_config("config.json", config.empty() ? std::nullopt : std::optional(config));
  document.take(language::compiled(document.source(), document.config_name(), document.config_text()));
  if (!document.compilation()->ok) std::printf("%s does not compile\n", what.c_str());
  const language::Client client;
  const uint32_t last = document.source().line_count();
  const auto place = [](uint32_t line, uint32_t character) {
    return json{{"line", line}, {"character", character}};
  };
  const json all = {{"start", place(0, 0)}, {"end", place(last, 0)}};
  size_t key = 0;
  for (const char* method : {"completion", "hover", "signatureHelp", "definition", "documentHighlight",
                             "inlayHint", "semanticTokens/full", "foldingRange", "documentSymbol"}) {
    const json params = {{"position", place(last / 2, 6)}, {"range", all}};
    const Timing t = measure([&] {
      document.set_text(text + "z" + std::to_string(++key) + " = \n");  // a keystroke: tree and names are new
      language::answer(document, "file:///bench.irplan", std::string("textDocument/") + method, params,
                       client);
    });
    row(what + ", " + method, t, kAnswer);
  }
}

}  // namespace

int language_bench() {
  std::printf("%s\n", circumstances().c_str());
  ask("200 ops", two_hundred_ops(), "");
  const std::filesystem::path models = std::filesystem::path(IRPLAN_SOURCE_DIR) / "examples/models";
  ask("80 layers", read(models / "llama.irplan"),
      R"({"model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672, "num_attention_heads": 64,
      "num_key_value_heads": 8, "num_hidden_layers": 80, "vocab_size": 128256, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
      "max_position_embeddings": 8192, "hidden_act": "silu", "torch_dtype": "bfloat16"})");
  return 0;
}

}  // namespace irplan::bench
