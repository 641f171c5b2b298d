// The one table of plan.json's keys: what writes it, reads it, compares two, describes it as a JSON Schema
// and as TypeScript walks these functions. One a record, one line a key, in the order in which they are
// written.
//
//   v.record("dim", "a run-time size");          what the record is called, and what it is
//   v.always("min", d.min);                      the key is there
//   v.nullable("max", d.max);                    the key is there, with null for none
//   v.set("per", d.per, {"the dim is ragged"});  the key is absent for what is empty, none, or false
//   v.added("tokens", p.tokens);                 always written; plans of the first irplan lack it
//   v.only(where, "live", …);                    only of records where `where` holds
//
// A walker V has these members, and V::kReads: whether it fills the record. How a member stands in JSON
// follows from its type; the wrappers below are for what a member alone does not say.
//
// The format's history, and what is promised about it: core/plan.md.
#pragma once

#include <type_traits>

#include "plan/plan.h"

namespace irplan::plan_fields {

// What a key is besides its type.
struct Note {
  const char* doc = nullptr;     // for the schema and the types
  const char* schema = nullptr;  // what narrows the type, as JSON Schema
  enum Role : uint8_t {
    Plain,
    Name,
    Quiet,
    Bytes
  } role = Plain;  // for a comparison: what tells records of
                   // a list apart; what does not count; a
                   // count of bytes
};
constexpr const char* kId = R"({"$ref": "#/$defs/id"})";
constexpr const char* kHash = R"({"type": "string", "pattern": "^[0-9a-f]*$"})";
constexpr const char* kBaseName = R"({"type": "string", "pattern": "^[^/\\\\]*$"})";
constexpr const char* kDimName = R"({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"})";
constexpr const char* kNonEmpty = R"({"type": "string", "minLength": 1})";
constexpr Note kLine = {nullptr, nullptr, Note::Quiet};
constexpr Note kByteCount = {nullptr, nullptr, Note::Bytes};

// ---- words of enumerations, by their order; an empty one stands for none
template <class E>
struct Words;
template <>
struct Words<Plan::Kind> {
  static constexpr const char* kAll[] = {"input", "param", "state", "folded", "temp"};
};
template <>
struct Words<Plan::Segment> {
  static constexpr const char* kAll[] = {"inputs", "weights", "state", "arena"};
};
template <>
struct Words<Plan::Strength> {
  static constexpr const auto& kAll = kStrengths;
};
template <>
struct Words<Plan::Layout> {
  static constexpr const char* kAll[] = {"", "contiguous", "ring", "panels16", "panels16_blocks"};
};

// ---- what stands otherwise in JSON than in memory; T may be const. Made with braces: clang 14 has no other
// way.
enum class To : uint8_t { Values, Buffers };

// An index in memory, an id in the file.
template <class T>
struct Ref {
  T& index;
  To to;
};
// `""` stands for kAbsent where `may_be_absent`.
template <class T>
struct Refs {
  T& indices;
  To to;
  bool may_be_absent = false;
};
template <class T>
Ref(T&, To) -> Ref<T>;
template <class T>
Refs(T&, To, bool = false) -> Refs<T>;
// [begin, end)
template <class T>
struct Span {
  T &begin, &end;
};
template <class T>
Span(T&, T&) -> Span<T>;
// "P + S <= 8192"
template <class E, class R>
struct Comparison {
  E& left;
  R& relation;
  E& right;
};
template <class E, class R>
Comparison(E&, R&, E&) -> Comparison<E, R>;
// {"S": {"min": …}}: records by their name.
template <class T>
struct ByName {
  T& records;
};
template <class T>
ByName(T&) -> ByName<T>;
// ["B", "S"]
template <class T>
struct DimPair {
  T &first, &second;
};
template <class T>
DimPair(T&, T&) -> DimPair<T>;
// Every attribute of the op's row, in its order.
template <class O>
struct Attributes {
  O& op;
};
template <class O>
Attributes(O&) -> Attributes<O>;
// JSON as it stands, but for blanks.
template <class T>
struct Verbatim {
  T& json;
};
template <class T>
Verbatim(T&) -> Verbatim<T>;
// Members of the plan that are one record in the file.
template <class P>
struct Source {
  P& plan;
};
template <class P>
struct Target {
  P& plan;
};
template <class P>
Source(P&) -> Source<P>;
template <class P>
Target(P&) -> Target<P>;

// ---- whether a key that may be absent is there
inline bool is_set(bool x) { return x; }
inline bool is_set(Plan::Layout x) { return x != Plan::Layout::None; }
inline bool is_set(const std::string& x) { return !x.empty(); }
template <class T>
bool is_set(const std::optional<T>& x) {
  return x.has_value();
}
template <class T>
bool is_set(const std::vector<T>& x) {
  return !x.empty();
}
template <class T>
bool is_set(const Refs<T>& x) {
  return !x.indices.empty();
}

// A record as a walker has it: to fill, or to look at.
template <class V, class Record>
using Of = std::conditional_t<V::kReads, Record, const Record>;

// ---- the records
template <class V>
void fields(V& v, Source<Of<V, Plan>> s) {
  v.record("source", "the program; base name only");
  v.always("file", s.plan.source_file, {nullptr, kBaseName});
  v.always("sha256", s.plan.source_sha256, {nullptr, kHash});
  v.nullable("config_sha256", s.plan.config_sha256, {nullptr, kHash});
}

template <class V>
void fields(V& v, Target<Of<V, Plan>> t) {
  v.record("target", "where the kernels run");
  v.always("name", t.plan.target, {nullptr, kId});
  v.always("arch", t.plan.arch);
  v.always("align", t.plan.align,
           {"bytes; a power of two", R"({"type": "integer", "minimum": 1, "maximum": 1048576})"});
}

template <class V>
void fields(V& v, Of<V, Plan::Dim>& d) {
  v.record("dim", "a run-time size; the plan's numbers are evaluated at `value`");
  v.always("name", d.name, {nullptr, kDimName, Note::Name});
  v.always("min", d.min);
  v.nullable("max", d.max);
  v.always("value", d.value);
  v.set("assumed", d.assumed, {"nothing bounds the dim, and `value` is 4096"});
  v.set("per", d.per, {"the dim is ragged: one value for each row of that dim"});
}

template <class V>
void fields(V& v, Of<V, Plan::Guard>& g) {
  v.record("guard", "what ranges cannot say; checked before a run");
  v.always("expr", Comparison{g.left, g.relation, g.right}, {nullptr, nullptr, Note::Name});
  v.always("line", g.line, kLine);
  v.set("phase", g.phase, {nullptr, nullptr, Note::Name});
  v.set("budget", g.budget);
}

// Stands under its name.
template <class V>
void fields(V& v, Of<V, Plan::PhaseDim>& d) {
  v.record("range", "the sizes of a dim");
  v.always("min", d.min);
  v.nullable("max", d.max);
  v.always("value", d.value);
}

template <class V>
void fields(V& v, Of<V, Plan::AtPeak>& b) {
  v.record("at_peak", "a buffer that is alive where the most bytes are");
  v.always("buffer", b.buffer, {nullptr, nullptr, Note::Name});
  v.always("bytes", b.bytes, kByteCount);
  v.always("line", b.line, {"of the op that writes it first", nullptr, Note::Quiet});
}

template <class V>
void fields(V& v, Of<V, Plan::Tokens>& t) {
  v.record("tokens", "what a token takes at `value`; a step's tokens are sequences by new tokens");
  v.always("a_step", t.a_step);
  v.always("arena_bytes_each", t.arena_bytes_each,
           {"of the peak, for each token of a step", nullptr, Note::Bytes});
  v.always("state_bytes_each", t.state_bytes_each,
           {"for each token that a sequence may keep", nullptr, Note::Bytes});
  v.always("ring_bytes_each_sequence", t.ring_bytes_each_sequence,
           {"of states that only keep a window", nullptr, Note::Bytes});
}

template <class V>
void fields(V& v, Of<V, Plan::Phase>& p) {
  v.record("phase", "one way to run the program");
  v.always("name", p.name, {nullptr, kId, Note::Name});
  v.always("dims", ByName{p.dims}, {"the dims that the phase narrows or fixes"});
  v.always("ops", Span{p.ops_begin, p.ops_end});
  v.always("peak_bytes", p.peak_bytes, kByteCount);
  v.nullable("peak", p.peak);
  v.always("flops", p.flops);
  v.always("bytes", p.bytes, {"that its ops move", nullptr, Note::Bytes});
  v.set("peak_op", p.peak_op, {"the first op at which the most bytes are alive"});
  v.set("at_peak", p.at_peak, {"the buffers that are alive there, the largest first"});
  v.added("tokens", p.tokens);
  v.added("as_written_bytes", p.as_written_bytes,
          {"of the arena, were ops run in the order that the program has them in", nullptr, Note::Bytes});
}

template <class V>
void fields(V& v, Of<V, Plan::Output>& o) {
  v.record("output", "a result of the program");
  v.always("name", o.name, {nullptr, kId, Note::Name});
  v.always("value", Ref{o.value, To::Values});
  v.always("phase", o.phase, {nullptr, kId, Note::Name});
}

template <class V>
void fields(V& v, Of<V, Plan::Value>& x) {
  v.record("value", "a tensor: a type, and a window on a buffer");
  v.always("id", x.id, {nullptr, kId, Note::Name});
  v.always("kind", x.kind);
  v.set("phase", x.phase);
  v.always("dtype", x.dtype);
  v.always("shape", x.shape);
  v.always("buffer", Ref{x.buffer, To::Buffers});
  v.set("offset", x.offset, {"bytes inside the buffer; absent: 0"});
  v.set("strides", x.strides, {"elements; absent: row-major"});
  v.set("of", Refs{x.of, To::Values}, {"no op writes it: the values that it is a window on"});
  v.set("source", x.source, {"the checkpoint's name", kNonEmpty});
  v.set("layout", x.layout);
  v.set("capacity", x.capacity, {"of a state: the declared extent of axis 1"});
  v.needs("kind", "param", {"source"});
  v.needs("kind", "state", {"source", "layout", "capacity"});
}

template <class V>
void fields(V& v, Of<V, Plan::Buffer>& b) {
  v.record("buffer", "bytes of memory; only the arena's have a life and a place");
  v.always("id", b.id, {nullptr, kId, Note::Name});
  v.always("segment", b.segment);
  const bool arena = b.segment == Plan::Segment::Arena;
  v.only(arena, "phase", b.phase);
  v.always("bytes", b.bytes);
  v.only(arena, "live", Span{b.live_begin, b.live_end});
  v.only(arena, "above", Refs{b.above, To::Buffers},
         {"the buffers that this one lies directly above: its placement"});
  v.only(arena, "offset", b.offset, {"bytes from the arena's start, at `value`", nullptr, Note::Bytes});
  v.needs("segment", "arena", {"phase", "live", "above", "offset"});
}

template <class V>
void fields(V& v, Of<V, Plan::Op>& o) {
  v.record("op", "one kernel call; flat, in execution order");
  v.always("id", o.id, {nullptr, kId, Note::Name});
  v.always("op", o.row);
  v.always("kernel", o.kernel, {nullptr, R"({"$ref": "#/$defs/kernel"})"});
  v.always("in", Refs{o.in, To::Values, true}, {"\"\" stands for an absent optional operand"});
  v.always("out", Refs{o.out, To::Values},
           {nullptr, R"({"type": "array", "items": {"$ref": "#/$defs/id"}, "minItems": 1})"});
  v.always("attrs", Attributes{o});
  v.always("flops", o.flops);
  v.always("bytes", o.bytes, {"that it moves", nullptr, Note::Bytes});
  v.always("line", o.line, kLine);
  v.always("scope", o.scope);
  v.always("phase", o.phase, {nullptr, kId});
  v.set("parts", o.parts, {"the ids that a fused op swallowed"});
  v.set("scratch", Refs{o.scratch, To::Buffers}, {"buffers that the kernel needs besides its results"});
}

template <class V>
void fields(V& v, Of<V, Plan::Range>& r) {
  v.record("ratio", "peak over lower bound, over all declared ranges");
  v.always("worst_ratio", r.worst_ratio, {nullptr, R"({"type": "number", "minimum": 1})"});
  v.always("proven", r.proven, {"for all sizes; false: from samples"});
}

template <class V>
void fields(V& v, Of<V, Plan::Segments>& s) {
  v.record("segments", "a number for each segment");
  v.always("weights", s.weights, kByteCount);
  v.always("state", s.state, kByteCount);
  v.always("inputs", s.inputs, kByteCount);
  v.always("arena", s.arena, kByteCount);
}

template <class V>
void fields(V& v, Of<V, Plan::Lighter>& l) {
  v.record("lighter", "a single change that lowers the memory");
  v.always("change", l.change, {"as the command line takes it", nullptr, Note::Name});
  v.always("what", l.what);
  v.always("bytes", l.bytes, {"of all segments with it, at `value`", nullptr, Note::Bytes});
}

template <class V>
void fields(V& v, Of<V, Plan::Memory>& m) {
  v.record("memory", "what the arena needs");
  v.always("peak_bytes", m.peak_bytes, kByteCount);
  v.always("reuse_buffers", m.reuse_buffers);
  v.nullable("peak", m.peak);
  v.nullable("peak_op", m.peak_op, {nullptr, kId});
  v.always("lower_bound_bytes", m.lower_bound_bytes, kByteCount);
  v.nullable("lower_bound", m.lower_bound);
  v.always("optimal", m.optimal);
  v.always("no_reuse_bytes", m.no_reuse_bytes, kByteCount);
  v.always("range", m.range);
  v.always("strength", m.strength, {"how the placement was found"});
  v.always("segments", m.segments, {"bytes at `value`, every buffer rounded up to `align`"});
  v.set("lighter", m.lighter, {"the lightest first"});
  v.added("as_written_bytes", m.as_written_bytes,
          {"the most that a phase takes, were ops run in the order that the program has them in", nullptr,
           Note::Bytes});
}

template <class V>
void fields(V& v, Of<V, Plan::Frontier>& f) {
  v.record("frontier", "the most of the second dim for sizes of the first, all others at their value");
  v.always("dims", DimPair{f.first, f.second});
  v.always("points", f.points);
}

// What a budget, or one phase under it, admits.
template <class V, class Answer>
void admitted(V& v, Answer& a) {
  v.always("max", a.max, {"the largest value of each dim, with the others at theirs"});
  v.set("beyond", a.beyond, {"the least size that fits under no placement of this order of ops"});
  v.set("frontier", a.frontier);
}

template <class V>
void fields(V& v, Of<V, Plan::Answer>& a) {
  v.record("answer", "what one phase by itself allows");
  v.always("phase", a.phase, {nullptr, nullptr, Note::Name});
  v.always("ok", a.ok);
  v.set("used_bytes", a.used_bytes, kByteCount);
  admitted(v, a);
}

template <class V>
void fields(V& v, Of<V, Plan::Change>& c) {
  v.record("change", "one thing to do differently: the budget then holds (`ok`), or up to `max` of one dim");
  v.always("change", c.change, {"as it is written: \"--let C=4096\"", nullptr, Note::Name});
  v.always("ok", c.ok);
  v.added("bytes", c.bytes, {"of what the budget limits, then at the largest sizes", nullptr, Note::Bytes});
  v.set("max", c.max);
}

template <class V>
void fields(V& v, Of<V, Plan::Budget>& b) {
  v.record("budget", "what the program promises to stay within");
  v.always("expr", b.expr, {nullptr, nullptr, Note::Name});
  v.always("line", b.line, kLine);
  v.set("phase", b.phase, {"the only phase that it is about"});
  v.always("ok", b.ok, {"over all declared ranges"});
  v.set("used_bytes", b.used_bytes, kByteCount);
  v.set("limit_bytes", b.limit_bytes, kByteCount);
  v.set("limit", b.limit, {"of bytes: the most that what is counted may take"});
  v.only(b.limit.has_value(), "counts", b.counts, {"of bytes: how often each segment is counted"});
  admitted(v, b);
  v.set("phases", b.phases, {"of each phase by itself, where the budget speaks of several"});
  v.set("changes", b.changes);
}

template <class V>
void fields(V& v, Of<V, Plan>& p) {
  v.record("plan",
           "What a runtime executes, a scheduler admits requests by, and a page draws. Unknown keys "
           "are additions that a reader may ignore.");
  v.always("version", p.version, {"of the format", R"({"const": "0.1.0"})"});
  v.always("producer", p.producer);
  v.always("source", Source{p});
  v.always("target", Target{p});
  v.always("dims", p.dims);
  v.always("guards", p.guards);
  v.always("phases", p.phases);
  v.always("outputs", p.outputs);
  v.always("values", p.values);
  v.always("buffers", p.buffers);
  v.always("ops", p.ops);
  v.always("memory_plan", p.memory);
  v.always("budget", p.budget);
  v.always("diagnostics", Verbatim{p.diagnostics}, {"what the compiler said"});
}

}  // namespace irplan::plan_fields
