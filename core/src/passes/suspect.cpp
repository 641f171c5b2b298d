#include "passes/suspect.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "passes/measure.h"

namespace irplan {
namespace {

constexpr int64_t kManyTimes = 4;  // as wide as what they are made of: logits, no other result of a layer

// What turns its operand by positions has an attribute for how they are scaled.
bool rotates(const Op& op) {
  const auto& specs = op.row->attributes;
  return std::any_of(specs.begin(), specs.end(),
                     [](const AttrSpec& spec) { return std::string_view(spec.name) == "scaling"; });
}

// `rope` without `at`, or from 0 on, in a phase whose caches are appended to somewhere else.
void tell_rope_from_zero(const Graph& graph, const Op& rope, const Op& append, Diagnostics& diagnostics) {
  const std::string at = append.attrs["at"].expr() ? append.attrs["at"].expr().text() : "";
  Diagnostic& d = diagnostics.report(Code::RopeFromZero, rope.span, {graph.values[append.in[0]].source});
  d.at("positions 0, 1, … in every step").also(append.span, "appends at " + at);
  const uint32_t end = rope.span.end;
  if (end > 0) d.fix("write at=" + at, {end - 1, end - 1}, ", at=" + at);
}

// Of a rope with two tables of factors: the length that picks one, and the most tokens that the short one is
// for.
struct TwoTables {
  int64_t length = 0, original = 0;
};
std::optional<TwoTables> tables_of(const Op& op) {
  const AttrRecord* scaling = rotates(op) ? op.attrs["scaling"].record() : nullptr;
  if (!scaling) return std::nullopt;
  const Attr* kind = find(*scaling, "rope_type");
  if (!kind) kind = find(*scaling, "type");
  if (!kind || (kind->word() != "longrope" && kind->word() != "su")) return std::nullopt;
  const Attr *length = find(*scaling, "length"),
             *original = find(*scaling, "original_max_position_embeddings");
  if (!length || !original || original->integer() <= 0) return std::nullopt;
  return TwoTables{length->integer(), original->integer()};
}

// Of a length that is told: which option or which line of the program makes it so.
void offer_length(const Graph& graph, int64_t now, int64_t then, const std::string& line, Diagnostic& d) {
  const std::string most = std::to_string(then), purpose = "for texts of up to " + most + " tokens: ";
  const auto same = [&](const SizeLet& let) { return let.size == now; };
  const auto let = std::find_if(graph.cache_lets.begin(), graph.cache_lets.end(), same);
  d.help(purpose + (let == graph.cache_lets.end() ? line + most : "`--let " + let->name + "=" + most + "`"));
}

void tell_long_factors(const Graph& graph, const Op& rope, Diagnostics& diagnostics) {
  const auto tables = tables_of(rope);
  if (!tables || tables->length <= tables->original) return;
  const std::string most = std::to_string(tables->original);
  Diagnostic& d = diagnostics.report(Code::LongFactors, rope.span, {std::to_string(tables->length), most});
  d.rule("the reference takes the short factors up to " + most + " tokens, the long ones beyond");
  offer_length(graph, tables->length, tables->original, "length: ", d);
}

// The value that names rows of a table by their places in a text: its op, or null.
const Op* places_of(const Graph& graph, const Op& lookup) {
  if (lookup.row->ids < 0 || lookup.row->table < 0) return nullptr;
  const Value& ids = graph.values[lookup.in[static_cast<size_t>(lookup.row->ids)]];
  const Op* const made = ids.producer == kNone ? nullptr : &graph.ops[ids.producer];
  return made && made->in.empty() && made->attrs["at"].expr() ? made : nullptr;
}

// The longest text that the config's model is made for. A scaling that counts from a shorter length makes it
// longer; most configs have the longer one already.
PublishedContext scaled(PublishedContext published, const Op& rope) {
  const AttrRecord* scaling = rope.attrs["scaling"].record();
  const Attr* factor = scaling ? find(*scaling, "factor") : nullptr;
  if (!factor || !(factor->get<double>() || factor->get<int64_t>()) || factor->number() <= 1)
    return published;
  const Attr* original = find(*scaling, "original_max_position_embeddings");
  const int64_t from = original && original->get<int64_t>() ? original->integer() : published.tokens;
  const double to = static_cast<double>(from) * factor->number();
  if (to < static_cast<double>(INT64_MAX / 2))
    published.tokens = std::max(published.tokens, static_cast<int64_t>(to));
  return published;
}

// A cache of more tokens than the model has positions: rows of a table, or what its config names.
void tell_beyond_positions(const Graph& graph, const Op& op, const Op& append,
                           const std::optional<PublishedContext>& published, Diagnostics& diagnostics) {
  const Shape& rows = graph.values[append.in[0]].type.shape;
  if (rows.size() < 2 || !rows[1].is_constant()) return;
  const int64_t holds = rows[1].constant();
  const auto told = [&](const std::string& who, int64_t most) -> Diagnostic& {
    return diagnostics.report(Code::BeyondPositions, op.span,
                              {std::to_string(holds), who, std::to_string(most)});
  };
  if (const Op* places = places_of(graph, op)) {
    const Value& table = graph.values[op.in[static_cast<size_t>(op.row->table)]];
    const Expr rows_of_it = table.type.shape.empty() ? Expr() : table.type.shape[0];
    if (!rows_of_it || !rows_of_it.is_constant() || rows_of_it.constant() >= holds ||
        !(places->attrs["at"].expr() == append.attrs["at"].expr()))
      return;
    Diagnostic& d = told("`" + table.source + "`", rows_of_it.constant());
    d.also(append.span, "the cache").rule("a step that looks up a row that is not there is refused");
    offer_length(graph, holds, rows_of_it.constant(), "rows of states: ", d);
  } else if (published && rotates(op)) {
    const PublishedContext most = scaled(*published, op);
    if (most.tokens >= holds) return;
    Diagnostic& d = told("`" + most.key + "`", most.tokens);
    d.rule("beyond them angles go on, and a model that was not trained on such mostly answers poorly");
    offer_length(graph, holds, most.tokens, "rows of states: ", d);
  }
}

// Whether an op makes what is much wider than what it reads, of every position: a head.
const Value* logits_of(const Graph& graph, const Output& output) {
  const Value& value = graph.values[output.value];
  if (value.type.shape.size() < 3 || value.type.shape[1].is_constant()) return nullptr;
  const Expr wide = value.type.shape.back();
  // Back through what keeps the shape: softcap, a factor, a cast.
  const Value* at = &value;
  for (int step = 0; step < 8 && at->producer != kNone; ++step) {
    const Op& op = graph.ops[at->producer];
    if (op.in.empty() || op.in[0] == kNone) return nullptr;
    const Value& from = graph.values[op.in[0]];
    if (from.type.shape.empty()) return nullptr;
    const Expr narrow = from.type.shape.back();
    if (wide.is_constant() && narrow.is_constant() && wide.constant() >= kManyTimes * narrow.constant() &&
        from.type.shape.size() == value.type.shape.size() && from.type.shape[1] == value.type.shape[1])
      return &value;
    if (!(narrow == wide)) return nullptr;
    at = &from;
  }
  return nullptr;
}

}  // namespace

std::optional<int64_t> short_factors_up_to(const Graph& graph) {
  for (const Op& op : graph.ops) {
    if (const auto tables = tables_of(op)) return tables->original;
  }
  return std::nullopt;
}

void tell_suspect_positions(const Graph& graph, const std::optional<PublishedContext>& published,
                            Diagnostics& diagnostics) {
  for (uint32_t p = 0; p < graph.phases.size(); ++p) {
    const Phase& phase = graph.phases[p];
    const Op* append = nullptr;
    for (OpId i = phase.ops_begin; i < phase.ops_end && !append; ++i) {
      const Op& op = graph.ops[i];
      const Expr at = op.row->updates_state ? op.attrs["at"].expr() : Expr();
      if (at && !at.is_constant()) append = &op;
    }
    for (OpId i = phase.ops_begin; i < phase.ops_end; ++i) {
      const Op& op = graph.ops[i];
      if (append) tell_beyond_positions(graph, op, *append, published, diagnostics);
      if (!rotates(op)) continue;
      const Attr& at = op.attrs["at"];
      const bool zero =
          at.is_none() || (at.expr() && at.expr().is(0)) || (at.get<int64_t>() && at.integer() == 0);
      if (append && zero) tell_rope_from_zero(graph, op, *append, diagnostics);
      tell_long_factors(graph, op, diagnostics);
    }
  }
}

void tell_suspect_logits(const Graph& graph, Diagnostics& diagnostics) {
  for (const Output& output : graph.outputs) {
    const Phase& phase = graph.phases[output.phase];
    const Value* logits = phase.peak_op == kNone ? nullptr : logits_of(graph, output);
    if (!logits || logits->buffer == kNone) continue;
    const Buffer& buffer = graph.buffers[logits->buffer];
    if (buffer.segment != Segment::Arena || phase.peak_op < buffer.live_begin ||
        phase.peak_op >= buffer.live_end)
      continue;
    const Binding sizes = graph.values_at(output.phase);
    const auto bytes = evaluate(buffer.bytes, sizes), rows = evaluate(logits->type.shape[1], sizes);
    if (!bytes || !rows || *rows < 2 || *bytes < phase.peak_bytes / 2) continue;
    std::string at;
    for (const Dim& dim : graph.dim_list) {
      const std::vector<DimIndex> used = dims_of(buffer.bytes);
      if (std::find(used.begin(), used.end(), dim.index) != used.end())
        at += (at.empty() ? " at " : ", ") + dim.name + " = " + std::to_string(sizes[dim.index]);
    }
    const std::string rows_text = logits->type.shape[1].text();
    Diagnostic& d = diagnostics.report(Code::LogitsOfAllPositions, output.span, {phase.name});
    d.at(bytes_text(*bytes) + " of " + bytes_text(phase.peak_bytes) + at)
        .note("those of the last position take " + bytes_text(*bytes / *rows))
        .help("where the last position is enough, take it before the head: last = slice(h, axis=1, start=" +
              rows_text + " - 1, len=1)");
  }
}

}  // namespace irplan
