// plan.json to data: form and references. Whether the plan is true is validate's question.
#include <algorithm>
#include <unordered_map>

#include "base/keyed_hash.h"
#include "base/limits.h"
#include "kernels/kernel.h"
#include "plan/fields.h"
#include "plan/json_tree.h"

namespace irplan {
namespace {

using Kind = JsonNode::Kind;
using plan_fields::Note;
using plan_fields::To;

constexpr size_t kMaxRecords = JsonTree::kMaxItems;  // of one list

std::string cut(std::string_view text) {
  return std::string(text.substr(0, 60)) + (text.size() > 60 ? "…" : "");
}

template <size_t N>
std::string listed(const char* const (&words)[N]) {
  std::string out;
  for (const char* word : words) {
    if (*word) out += (out.empty() ? "" : ", ") + std::string(word);
  }
  return out;
}

bool is_name(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

Attr any_attribute(const JsonNode& node) {
  switch (node.kind()) {
    case Kind::Null: return Attr();
    case Kind::Bool: return Attr(node.boolean());
    case Kind::Int: return Attr(node.integer());
    case Kind::Float: return Attr(node.number());
    case Kind::String: return Attr(std::string(node.string()));
    case Kind::List: {
      AttrList list;
      for (const JsonNode& item : node.items()) list.push_back(any_attribute(item));
      return Attr::of(std::move(list));
    }
    case Kind::Record: break;
  }
  AttrRecord record;
  for (const auto& [key, item] : node.entries()) record.emplace_back(std::string(key), any_attribute(item));
  return Attr::of(std::move(record));
}

// A walker of fields.h. Stops at the first fault: what follows it is not looked at.
class Reader {
 public:
  static constexpr bool kReads = true;

  Result<Plan> run(std::string_view text) {
    const auto tree = JsonTree::parse(text);
    if (tree)
      read(tree->root());
    else
      fail(tree.message());
    if (failed_) return Error{std::move(why_)};
    return std::move(plan_);
  }

  void read(const JsonNode& root) {
    if (root.kind() != Kind::Record) return fail("no JSON object");
    if (const JsonNode* version = root.find("version"); version && version->string() != kPlanVersion)
      return fail("the version \"" + cut(version->string()) + "\" is not " + kPlanVersion);
    // Before the records, which name each other.
    collect(root, "buffers", buffers_);
    collect(root, "values", values_);
    if (!failed_) get(root, plan_);
  }

  // ---- a walker of fields.h
  void record(const char*, const char*) {}
  void needs(const char* key, const char* word, std::initializer_list<const char*> needed) {
    const JsonNode* node = failed_ ? nullptr : record_->find(key);
    if (!node || node->string() != word) return;
    for (const char* other : needed) {
      if (!failed_ && !record_->find(other)) lacks(other);
    }
  }
  template <class T>
  void always(const char* key, T&& x, const Note& note = {}) {
    if (failed_) return;
    const JsonNode* node = next(key);
    node ? at(key, *node, x, note) : lacks(key);
  }
  template <class T>
  void nullable(const char* key, T&& x, const Note& note = {}) {
    if (failed_) return;
    const JsonNode* node = next(key);
    if (!node) return lacks(key);
    if (node->kind() != Kind::Null) at(key, *node, x, note);
  }
  template <class T>
  void set(const char* key, T&& x, const Note& note = {}) {
    if (failed_) return;
    if (const JsonNode* node = next(key)) at(key, *node, x, note);
  }
  template <class T>
  void added(const char* key, T&& x, const Note& note = {}) {
    set(key, x, note);
  }
  template <class T>
  void only(bool where, const char* key, T&& x, const Note& note = {}) {
    if (where) always(key, x, note);
  }

 private:
  using Indices = std::unordered_map<std::string_view, uint32_t, TextHash>;

  // ---- where it is, for messages
  struct Step {
    const char* key;             // null: the record of a list, or the entry of an object
    const JsonNode* node;        // of it
    size_t index = 0;            // in the list
    std::string_view name = {};  // in the object
  };

  // "values h.shape", "guards[3]", "phases decode.dims.S"
  std::string place() const {
    std::string out;
    for (const Step& step : path_) {
      if (step.key) {
        out += (out.empty() ? "" : ".") + std::string(step.key);
      } else if (step.name.data()) {
        out += "." + cut(step.name);
      } else {
        const JsonNode* id = step.node->find("id");
        if (!id) id = step.node->find("name");
        out += id && !id->string().empty() ? " " + cut(id->string()) : "[" + std::to_string(step.index) + "]";
      }
    }
    return out.empty() ? "plan" : out;
  }
  void fail(const std::string& what) {
    if (!failed_) why_ = place() + ": " + what;
    failed_ = true;
  }
  void lacks(const std::string& key) { fail("lacks \"" + key + "\""); }

  // ---- keys
  // Keys mostly stand in the table's order.
  const JsonNode* next(const char* key) {
    const auto entries = record_->entries();
    if (cursor_ < entries.size() && entries[cursor_].key == key) return &entries[cursor_++].value;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].key == key) return cursor_ = i + 1, &entries[i].value;
    }
    return nullptr;
  }
  template <class T>
  void at(const char* key, const JsonNode& node, T& x, const Note& note) {
    path_.push_back({key, &node});
    if (is_formed(node.string(), node.kind(), note.schema)) get(node, x);
    path_.pop_back();
  }
  // What the schema asks of a text besides that it is one. An empty one that stands for none would be
  // written as no key at all.
  bool is_formed(std::string_view text, Kind kind, const char* schema) {
    if (kind != Kind::String || !schema) return true;
    if ((schema == plan_fields::kId || schema == plan_fields::kNonEmpty) && text.empty())
      return fail("is empty"), false;
    if (schema == plan_fields::kHash && text.find_first_not_of("0123456789abcdef") != std::string_view::npos)
      return fail("\"" + cut(text) + "\" is no hash in lower-case hexadecimal digits"), false;
    if (schema == plan_fields::kBaseName && text.find_first_of("/\\") != std::string_view::npos)
      return fail("\"" + cut(text) + "\" names a folder"), false;
    return true;
  }
  bool is(const JsonNode& node, Kind kind, const char* wanted) {
    if (node.kind() != kind) fail(std::string("is no ") + wanted);
    return node.kind() == kind;
  }

  // ---- what a key holds
  void get(const JsonNode& node, bool& x) {
    if (is(node, Kind::Bool, "true or false")) x = node.boolean();
  }
  void get(const JsonNode& node, int64_t& x) {
    if (!is(node, Kind::Int, "integer")) return;
    if (node.integer() < 0) return fail(std::to_string(node.integer()) + " is negative");
    x = node.integer();
  }
  void get(const JsonNode& node, uint32_t& x) {
    int64_t n = 0;
    get(node, n);
    if (n > UINT32_MAX) return fail(std::to_string(n) + " is too large");
    x = static_cast<uint32_t>(n);
  }
  void get(const JsonNode& node, double& x) {
    if (node.kind() != Kind::Float && node.kind() != Kind::Int) return fail("is not a number");
    x = node.number();
  }
  void get(const JsonNode& node, std::string& x) {
    if (!is(node, Kind::String, "string")) return;
    if (node.string().size() > kMaxIdBytes) return fail("longer than 4 KiB");
    // What is shown on terminals must not steer them; a budget may go over lines.
    const auto steers = [](unsigned char c) {
      return (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F;
    };
    const std::string_view text = node.string();
    if (std::any_of(text.begin(), text.end(), steers)) return fail("holds a control character");
    x = text;
  }
  void get(const JsonNode& node, Expr& x) {
    if (!is(node, Kind::String, "expression")) return;
    const auto known = exprs_.find(node.string());
    if (known != exprs_.end()) return void(x = known->second);
    const auto e = plan_.pool->parse(node.string());
    if (!e) return fail("\"" + cut(node.string()) + "\": " + e.message());
    x = *e;
    exprs_.emplace(node.string(), *e);
  }
  void get(const JsonNode& node, DType& x) {
    if (!is(node, Kind::String, "dtype")) return;
    const auto dtype = find_dtype(node.string());
    dtype ? void(x = *dtype) : fail("no dtype \"" + cut(node.string()) + "\"");
  }
  void get(const JsonNode& node, const OpRow*& x) {
    if (!is(node, Kind::String, "operator")) return;
    x = find_op(node.string());
    if (!x) fail("no operator \"" + cut(node.string()) + "\"");
  }
  template <class E>
  requires std::is_enum_v<E>
  void get(const JsonNode& node, E& x) {
    if (!is(node, Kind::String, "string")) return;
    const auto& words = plan_fields::Words<E>::kAll;
    const auto* found = std::find_if(std::begin(words), std::end(words),
                                     [&](const char* word) { return *word && node.string() == word; });
    if (found == std::end(words)) return fail("\"" + cut(node.string()) + "\" is none of " + listed(words));
    x = static_cast<E>(found - std::begin(words));
  }
  template <class T>
  void get(const JsonNode& node, std::optional<T>& x) {
    T found{};
    get(node, found);
    if (!failed_) x = std::move(found);
  }
  void get(const JsonNode& node, Shape& x) {
    if (!is(node, Kind::List, "list")) return;
    if (node.items().size() > kMaxPlanRank)
      return fail("more than " + std::to_string(kMaxPlanRank) + " entries");
    for (const JsonNode& item : node.items()) {
      Expr e;
      if (!failed_) get(item, e), x.push_back(e);
    }
  }
  template <class T>
  static constexpr size_t most_of() {
    if (std::is_same_v<T, std::string>) return kMaxParts;
    if (std::is_same_v<T, Plan::Dim>) return kMaxDims;
    if (std::is_same_v<T, Plan::Phase> || std::is_same_v<T, Plan::Answer>) return kMaxPhases;
    if (std::is_same_v<T, Plan::Budget>) return kMaxBudgets;
    if (std::is_same_v<T, Plan::Frontier>) return kMaxFrontiers;
    if (std::is_same_v<T, std::pair<int64_t, int64_t>>) return kMaxPoints;
    return kMaxRecords;
  }
  // Records, ids, pairs of numbers.
  template <class T>
  void get(const JsonNode& node, std::vector<T>& x) {
    if (!is(node, Kind::List, "list")) return;
    constexpr size_t kMost = most_of<T>();
    if (node.items().size() > kMost) return fail("more than " + std::to_string(kMost) + " entries");
    x.reserve(node.items().size());
    for (size_t i = 0; i < node.items().size() && !failed_; ++i) {
      path_.push_back({nullptr, &node.items()[i], i});
      T item{};
      get(node.items()[i], item);
      x.push_back(std::move(item));
      path_.pop_back();
    }
  }
  void get(const JsonNode& node, std::pair<int64_t, int64_t>& x) {
    if (node.kind() != Kind::List || node.items().size() != 2) return fail("is not a pair of sizes");
    get(node.items()[0], x.first);
    get(node.items()[1], x.second);
  }
  // {"S": 512}
  void get(const JsonNode& node, Plan::Sizes& x) {
    if (!is(node, Kind::Record, "object")) return;
    for (const auto& [name, entry] : node.entries()) {
      if (failed_) return;
      path_.push_back({nullptr, &entry, 0, name});
      if (is(entry, Kind::Int, "integer")) x.emplace_back(std::string(name), entry.integer());
      path_.pop_back();
    }
  }
  template <class T>
  void get(const JsonNode& node, plan_fields::Ref<T>& x) {
    get_reference(node, x.to, x.index);
  }
  template <class T>
  void get(const JsonNode& node, plan_fields::Refs<T>& x) {
    if (!is(node, Kind::List, "list")) return;
    for (const JsonNode& item : node.items()) {
      uint32_t index = kAbsent;
      const bool absent = x.may_be_absent && item.kind() == Kind::String && item.string().empty();
      if (!absent) get_reference(item, x.to, index);
      if (failed_) return;
      x.indices.push_back(index);
    }
  }
  void get_reference(const JsonNode& node, To to, uint32_t& index) {
    if (!is(node, Kind::String, "string")) return;
    const auto& known = to == To::Values ? values_ : buffers_;
    const auto found = known.find(node.string());
    if (found == known.end())
      return fail(std::string("no ") + (to == To::Values ? "value" : "buffer") + " \"" + cut(node.string()) +
                  "\"");
    index = found->second;
  }
  template <class T>
  void get(const JsonNode& node, plan_fields::Span<T>& x) {
    const auto is_index = [](const JsonNode& n) {
      return n.kind() == Kind::Int && n.integer() >= 0 && n.integer() <= static_cast<int64_t>(kMaxRecords);
    };
    const auto items = node.items();
    if (items.size() != 2 || !is_index(items[0]) || !is_index(items[1]))
      return fail("is not a pair of indices");
    x.begin = static_cast<uint32_t>(items[0].integer());
    x.end = static_cast<uint32_t>(items[1].integer());
    if (x.begin > x.end)
      fail("[" + std::to_string(x.begin) + ", " + std::to_string(x.end) + "] runs backwards");
  }
  template <class E, class R>
  void get(const JsonNode& node, plan_fields::Comparison<E, R>& x) {
    if (!is(node, Kind::String, "string")) return;
    for (const Relation relation : {Relation::LessEqual, Relation::GreaterEqual, Relation::Equal}) {
      const std::string sign = std::string(" ") + symbol(relation) + " ";
      const size_t split = node.string().find(sign);
      if (split == std::string::npos) continue;
      const auto left = plan_.pool->parse(node.string().substr(0, split));
      const auto right = left ? plan_.pool->parse(node.string().substr(split + sign.size())) : left;
      if (!right) return fail("\"" + cut(node.string()) + "\": " + right.message());
      x.left = *left, x.relation = relation, x.right = *right;
      return;
    }
    fail("\"" + cut(node.string()) + "\" is not a comparison with <=, >= or ==");
  }
  template <class T>
  void get(const JsonNode& node, plan_fields::ByName<T>& x) {
    if (!is(node, Kind::Record, "object")) return;
    for (const auto& [name, entry] : node.entries()) {
      path_.push_back({nullptr, &entry, 0, name});
      auto& record = x.records.emplace_back();
      record.name = name;
      get(entry, record);
      path_.pop_back();
      if (failed_) return;
    }
  }
  template <class T>
  void get(const JsonNode& node, plan_fields::DimPair<T>& x) {
    if (node.kind() != Kind::List || node.items().size() != 2) return fail("is not a pair of dims");
    get(node.items()[0], x.first);
    get(node.items()[1], x.second);
  }
  template <class O>
  void get(const JsonNode& node, plan_fields::Attributes<O>& x) {
    if (is(node, Kind::Record, "object")) attributes(node, x.op);
  }
  // Kept as it stands; a reader has no use for it.
  template <class T>
  void get(const JsonNode& node, plan_fields::Verbatim<T>& x) {
    if (is(node, Kind::List, "list")) x.json = compact(node);
  }
  // A record.
  template <class R>
  requires std::is_class_v<R>
  void get(const JsonNode& node, R& x) {
    if (!is(node, Kind::Record, "object")) return;
    const JsonNode* outer = std::exchange(record_, &node);
    const size_t cursor = std::exchange(cursor_, 0);
    plan_fields::fields(*this, x);
    record_ = outer;
    cursor_ = cursor;
    if (!failed_) check(x);
  }

  // ---- what a record must hold besides its form
  template <class R>
  void check(R&) {}
  void check(plan_fields::Target<Plan>& x) {
    const int64_t align = x.plan.align;
    if (align < 1 || (align & (align - 1)) || align > 1 << 20)
      fail("the align " + std::to_string(align) + " is not a power of two up to 1 MiB");
  }
  template <class D>
  void check_range(const D& d) {
    const int64_t max = d.max.value_or(kMaxJsonInt);
    if (d.value < d.min || d.value > max || d.min > max)
      fail("value " + std::to_string(d.value) + " outside of " + std::to_string(d.min) + ".." +
           (d.max ? std::to_string(*d.max) : ""));
  }
  void check(Plan::Dim& d) {
    if (!is_name(d.name)) return fail("\"" + cut(d.name) + "\" is not a name");
    if (plan_.pool->find(d.name)) return fail("the name is taken");
    check_range(d);
    plan_.pool->dim(d.name);
  }
  void check(Plan::PhaseDim& d) {
    check_range(d);
    const auto known = std::find_if(plan_.dims.begin(), plan_.dims.end(),
                                    [&](const Plan::Dim& dim) { return dim.name == d.name; });
    if (known == plan_.dims.end()) return fail("no dim of the plan");
    if (d.min < known->min || d.max.value_or(kMaxJsonInt) > known->max.value_or(kMaxJsonInt))
      fail("outside of the dim's range");
  }
  bool has_phase(const std::string& name) const {
    return std::any_of(plan_.phases.begin(), plan_.phases.end(),
                       [&](const Plan::Phase& p) { return p.name == name; });
  }
  void check(Plan::Phase& p) {
    if (has_phase(p.name)) fail("the name is taken");
  }
  void check(Plan::Output& o) {
    if (!has_phase(o.phase)) fail("no phase \"" + cut(o.phase) + "\"");
  }
  void check(Plan::Value& v) {
    if (v.strides && v.strides->size() != v.shape.size()) fail("strides and shape differ in axes");
  }
  void check(Plan::Range& r) {
    if (!(r.worst_ratio >= 1)) fail("worst_ratio is less than 1");
  }
  void check(Plan::Op& op) {
    if (op.out.empty() || plan_.values[op.out[0]].id != op.id)
      return fail("the first result is not of its id");
    named_.resize(plan_.values.size());
    if (std::exchange(named_[op.out[0]], 1)) return fail("the id is taken");
    check_kernel(op);
  }
  void check_kernel(const Plan::Op& op) {
    if (kernel_version(op.kernel, plan_.target, *op.row) == 0)
      fail("the kernel \"" + cut(op.kernel) + "\" is not of the form " + plan_.target + "_" + op.row->name +
           "_v<N>");
  }

  // ---- references
  void collect(const JsonNode& root, const char* key, Indices& out) {
    if (failed_) return;
    const JsonNode* all = root.find(key);
    if (!all) return lacks(key);
    path_ = {{key, all}};
    if (!is(*all, Kind::List, "list")) return;
    const auto items = all->items();
    out.reserve(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      path_ = {{key, all}, {nullptr, &items[i], i}};
      if (!is(items[i], Kind::Record, "object")) return;
      const JsonNode* id = items[i].find("id");
      if (!id) return lacks("id");
      if (id->kind() != Kind::String) return fail("the id is no string");
      if (id->string().empty()) return fail("the id is empty");
      if (!out.emplace(id->string(), static_cast<uint32_t>(i)).second) return fail("the id is taken");
    }
    path_.clear();
  }

  // ---- attributes: their row says what they are
  void attributes(const JsonNode& record, Plan::Op& op) {
    op.attrs = Attrs(*op.row);
    for (const AttrSpec& spec : op.row->attributes) {
      const JsonNode* node = record.find(spec.name);
      if (!node && spec.implicit) continue;
      if (!node) return fail("lacks the attribute \"" + std::string(spec.name) + "\"");
      Attr value;
      path_.push_back({spec.name, node});
      attribute(*node, spec, value);
      path_.pop_back();
      if (failed_) return;
      op.attrs.set(spec.name, std::move(value));
    }
    for (const auto& [key, node] : record.entries()) {
      const auto known = [&, k = key](const AttrSpec& spec) { return k == spec.name; };
      if (std::none_of(op.row->attributes.begin(), op.row->attributes.end(), known))
        return fail("no attribute \"" + cut(key) + "\" of " + op.row->name);
    }
  }

  void attribute(const JsonNode& node, const AttrSpec& spec, Attr& out) {
    if (node.kind() == Kind::Null) return;
    const auto wanted = [&](Kind kind) {
      if (node.kind() != kind) fail("is of another type");
      return node.kind() == kind;
    };
    switch (spec.kind) {
      case AttrKind::Bool:
        if (wanted(Kind::Bool)) out = Attr(node.boolean());
        return;
      case AttrKind::Int:
        if (wanted(Kind::Int)) out = Attr(node.integer());
        return;
      case AttrKind::Number:
        if (node.kind() == Kind::Int)
          out = Attr(node.integer());
        else if (wanted(Kind::Float))
          out = Attr(node.number());
        return;
      case AttrKind::Extent: out = Attr(extent(node)); return;
      case AttrKind::Extents:
        if (wanted(Kind::List))
          out = listed_attribute(node, [&](const JsonNode& n) { return Attr(extent(n)); });
        return;
      case AttrKind::Ints:
        if (wanted(Kind::List))
          out = listed_attribute(node, [&](const JsonNode& n) {
            if (n.kind() != Kind::Int) fail("is of another type");
            return Attr(n.integer());
          });
        return;
      case AttrKind::Dtype: {
        DType dtype{};
        get(node, dtype);
        out = Attr(dtype);
        return;
      }
      case AttrKind::Word: {
        const std::string choices = std::string("|") + spec.choices + "|";
        if (node.kind() != Kind::String ||
            choices.find("|" + std::string(node.string()) + "|") == std::string::npos)
          return fail(std::string("is none of ") + spec.choices);
        out = Attr(std::string(node.string()));
        return;
      }
      case AttrKind::Record:
        if (wanted(Kind::Record)) out = any_attribute(node);
        return;
    }
  }

  Expr extent(const JsonNode& node) {
    if (node.kind() == Kind::Int) return plan_.pool->constant(node.integer());
    Expr e;
    get(node, e);
    return e;
  }
  template <class Item>
  Attr listed_attribute(const JsonNode& node, Item item) {
    AttrList list;
    for (const JsonNode& n : node.items()) {
      if (!failed_) list.push_back(item(n));
    }
    return Attr::of(std::move(list));
  }

  std::string why_;
  bool failed_ = false;
  Plan plan_;
  std::vector<Step> path_;
  const JsonNode* record_ = nullptr;  // whose keys are read,
  size_t cursor_ = 0;                 // and the entry that comes next if they stand in order
  // Keys are views of the text.
  std::unordered_map<std::string_view, Expr, TextHash> exprs_;
  Indices values_, buffers_;
  std::vector<uint8_t> named_;  // by value: an op has its id
};

}  // namespace

Result<Plan> read_plan(std::string_view text) { return Reader().run(text); }

}  // namespace irplan
