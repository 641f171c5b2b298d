#include "plan/diff.h"

#include <unordered_map>

#include "base/bytes.h"
#include "plan/layer_class.h"
#include "plan/plan_writer.h"

namespace irplan {
namespace {

using plan_fields::Note;

constexpr size_t kMostChanges = 12;  // changes of one part in the text for people
constexpr size_t kLongest = 72;      // bytes of a value there
constexpr const char* kParts[] = {"target", "memory_plan", "phases", "dims",    "guards",
                                  "budget", "outputs",     "ops",    "buffers", "values"};

// A key of a record and what it holds; of a record, or of a list of records that have names, its keys.
struct Node {
  std::string key;
  std::string text;  // a text as it is, anything else as JSON
  Note::Role role = Note::Plain;
  std::optional<int64_t> number;
  bool nested = false;
  std::vector<Node> keys;

  const Node* find(std::string_view other) const {
    for (const Node& node : keys) {
      if (node.key == other) return &node;
    }
    return nullptr;
  }
  std::string word(std::string_view other) const {
    const Node* node = find(other);
    return node ? node->text : std::string();
  }
};

// A walker of fields.h: a record as a tree of what its keys hold.
class Tree {
 public:
  static constexpr bool kReads = false;

  explicit Tree(const Plan& plan) : plan_(plan) {}

  // The keys of a record; `name` gets what tells it apart in a list.
  template <class R>
  std::vector<Node> keys_of(const R& x, std::string* name = nullptr) {
    std::vector<Node> out;
    std::vector<Node>* outer = std::exchange(keys_, &out);
    std::string* outer_name = std::exchange(name_, name);
    plan_fields::fields(*this, x);
    keys_ = outer;
    name_ = outer_name;
    return out;
  }

  // ---- a walker of fields.h
  void record(const char*, const char*) {}
  void needs(const char*, const char*, std::initializer_list<const char*>) {}
  template <class T>
  void always(const char* key, const T& x, const Note& note = {}) {
    Node node;
    node.key = key;
    node.role = note.role;
    put(node, x);
    if (note.role == Note::Name && name_) *name_ += (name_->empty() ? "" : " in ") + node.text;
    keys_->push_back(std::move(node));
  }
  template <class T>
  void added(const char* key, const T& x, const Note& note = {}) {
    always(key, x, note);
  }
  template <class T>
  void nullable(const char* key, const T& x, const Note& note = {}) {
    plan_fields::is_set(x) ? always(key, x, note) : always(key, nullptr, note);
  }
  template <class T>
  void set(const char* key, const T& x, const Note& note = {}) {
    if (plan_fields::is_set(x)) always(key, x, note);
  }
  template <class T>
  void only(bool where, const char* key, const T& x, const Note& note = {}) {
    if (where) always(key, x, note);
  }

 private:
  template <class T>
  std::string json(const T& x) {
    PlanWriter writer(plan_, 64);
    writer.put(x);
    return writer.take();
  }

  template <class T>
  void put(Node& node, const T& x) {
    node.text = json(x);
    if constexpr (std::is_same_v<T, std::string>) {
      node.text = x;
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      node.number = static_cast<int64_t>(x);
    } else if (node.text.size() > 1 && node.text.front() == '"') {
      node.text = node.text.substr(1, node.text.size() - 2);  // an expression, a word, an id: nothing escaped
    } else if constexpr (std::is_class_v<T>) {
      nest(node, x);
    }
  }
  template <class T>
  void put(Node& node, const std::optional<T>& x) {
    put(node, *x);
  }

  // What is told key by key: a record, records with names, and what stands under names.
  void nest(Node&, const Expr&) {}
  template <class E, class R>
  void nest(Node&, const plan_fields::Comparison<E, R>&) {}
  template <class T>
  void nest(Node&, const plan_fields::Ref<T>&) {}
  template <class T>
  void nest(Node&, const plan_fields::Refs<T>&) {}
  template <class T>
  void nest(Node&, const plan_fields::Span<T>&) {}
  template <class T>
  void nest(Node&, const plan_fields::DimPair<T>&) {}
  template <class T>
  void nest(Node&, const plan_fields::Verbatim<T>&) {}
  void nest(Node&, const Shape&) {}
  void nest(Node&, const std::vector<std::string>&) {}
  void nest(Node&, const std::vector<std::pair<int64_t, int64_t>>&) {}
  void nest(Node& node, const Plan::Sizes& x) {
    node.nested = true;
    for (const auto& [name, n] : x) put(node.keys.emplace_back(Node{name, {}, node.role, {}, false, {}}), n);
  }
  template <class T>
  void nest(Node& node, const plan_fields::ByName<T>& x) {
    node.nested = true;
    for (const auto& r : x.records) node.keys.push_back({r.name, json(r), Note::Plain, {}, true, keys_of(r)});
  }
  template <class O>
  void nest(Node& node, const plan_fields::Attributes<O>& x) {
    node.nested = true;
    for (size_t i = 0; i < x.op.row->attributes.size(); ++i) {
      const AttrSpec& spec = x.op.row->attributes[i];
      const Attr& a = x.op.attrs.values()[i];
      if (!spec.implicit || !(a.is_none() || a == Attr(false)))
        put(node.keys.emplace_back(Node{spec.name, {}, Note::Plain, {}, false, {}}), a);
    }
  }
  void nest(Node&, const Attr&) {}
  template <class R>
  void nest(Node& node, const std::vector<R>& x) {
    std::vector<Node> keys;
    for (const R& r : x) {
      Node one;
      one.text = json(r);
      one.nested = true;
      one.keys = keys_of(r, &one.key);
      if (one.key.empty()) return;  // they have no names
      keys.push_back(std::move(one));
    }
    node.nested = !keys.empty();
    node.keys = std::move(keys);
  }
  template <class R>
  void nest(Node& node, const R& x) {
    node.nested = true;
    node.keys = keys_of(x);
  }

  const Plan& plan_;
  std::vector<Node>* keys_ = nullptr;  // of the record that is walked
  std::string* name_ = nullptr;
};

// What a reader wants to know first of a record that came or went.
std::string summary_of(const std::string& part, const Node& record) {
  if (part == "ops") return record.word("kernel");
  if (part == "buffers") return record.word("segment") + " " + record.word("bytes");
  if (part == "budget")
    return record.word("used_bytes").empty()
               ? "max " + record.word("max")
               : record.word("used_bytes") + " bytes, max " + record.word("max");
  if (part == "values") return record.word("dtype") + record.word("shape");
  return record.text;
}

class Comparison {
 public:
  std::vector<PlanChange> run(const Node& a, const Node& b) {
    for (const char* part : kParts) {
      part_ = part;
      const Node &left = *a.find(part), &right = *b.find(part);
      if (part_ == "target" || part_ == "memory_plan") {
        fields("", left, right, "");
      } else {
        records(left, right);
      }
    }
    return std::move(changes_);
  }

 private:
  void add(const std::string& name, const std::string& field, const Node* before, const Node* after) {
    PlanChange change;
    change.part = part_;
    change.name = name;
    change.field = field;
    if (before) change.before = before->text;
    if (after) change.after = after->text;
    if (before && after && before->role == Note::Bytes && before->number && after->number)
      change.more_bytes = *after->number - *before->number;
    changes_.push_back(std::move(change));
  }
  void add_text(const std::string& name, const std::string& field, std::optional<std::string> before,
                std::optional<std::string> after) {
    changes_.push_back({part_, name, field, std::move(before), std::move(after), std::nullopt});
  }

  void fields(const std::string& name, const Node& a, const Node& b, const std::string& path) {
    for (const Node& node : a.keys) {
      if (node.role == Note::Quiet) continue;
      const Node* other = b.find(node.key);
      if (!other) {
        add(name, path + node.key, &node, nullptr);
      } else if (node.nested && other->nested) {
        fields(name, node, *other, path + node.key + ".");
      } else if (node.text != other->text) {
        add(name, path + node.key, &node, other);
      }
    }
    for (const Node& node : b.keys) {
      if (node.role != Note::Quiet && !a.find(node.key)) add(name, path + node.key, nullptr, &node);
    }
  }

  void records(const Node& a, const Node& b) {
    std::unordered_map<std::string_view, const Node*> before, after;
    for (const Node& record : a.keys) before.emplace(record.key, &record);
    for (const Node& record : b.keys) after.emplace(record.key, &record);
    for (const Node& record : a.keys) {
      const auto other = after.find(record.key);
      if (other != after.end()) {
        fields(record.key, record, *other->second, "");
      } else {
        add_text(record.key, "", summary_of(part_, record), std::nullopt);
      }
    }
    for (const Node& record : b.keys) {
      if (!before.contains(record.key)) add_text(record.key, "", std::nullopt, summary_of(part_, record));
    }
    if (part_ == "ops") order(a, b, before, after);
  }

  // The first op that runs at another place among those that both plans have.
  void order(const Node& a, const Node& b, const std::unordered_map<std::string_view, const Node*>& before,
             const std::unordered_map<std::string_view, const Node*>& after) {
    std::vector<std::string> left, right;
    for (const Node& op : a.keys) {
      if (after.contains(op.key)) left.push_back(op.key);
    }
    for (const Node& op : b.keys) {
      if (before.contains(op.key)) right.push_back(op.key);
    }
    for (size_t i = 0; i < left.size() && i < right.size(); ++i) {
      if (left[i] != right[i]) return add_text("", "order", left[i], right[i]);
    }
  }

  std::string part_;
  std::vector<PlanChange> changes_;
};

// At most kLongest bytes, cut between characters.
std::string short_of(const std::string& text) {
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

std::string line_of(const PlanChange& change) {
  if (change.field.empty()) {
    const bool gone = change.before.has_value();
    return std::string(gone ? "- " : "+ ") + change.name + "  " +
           short_of(gone ? *change.before : *change.after);
  }
  std::string out = "~ " + change.name + (change.name.empty() ? "" : "  ") + change.field + ": ";
  out += short_of(change.before.value_or("nothing")) + " -> " + short_of(change.after.value_or("nothing"));
  if (!change.more_bytes) return out;
  const int64_t more = *change.more_bytes;
  return out + (more < 0 ? " (-" : " (+") + bytes_text(more < 0 ? -more : more) + ")";
}

// A change that identical layers have in common: one line, and how many there are.
struct ClassOfChanges {
  PlanChange change;  // the first of them, with the names of the class where there are several
  size_t count = 0;
};

// Of a value that names something; plain numbers stay what they are.
std::string class_of(const std::string& text) {
  return text.find('/') != std::string::npos || text.find(".layers.") != std::string::npos ? layer_class(text)
                                                                                           : text;
}

std::vector<ClassOfChanges> by_layers(const std::vector<PlanChange>& changes) {
  std::vector<ClassOfChanges> out;
  std::unordered_map<std::string, size_t> known;
  for (const PlanChange& change : changes) {
    PlanChange shared = change;
    shared.name = layer_class(change.name);
    if (shared.before) shared.before = class_of(*shared.before);
    if (shared.after) shared.after = class_of(*shared.after);
    const std::string key = shared.part + "\n" + line_of(shared);
    const auto [at, fresh] = known.try_emplace(key, out.size());
    if (fresh) out.push_back({change, 0});
    ClassOfChanges& found = out[at->second];
    if (++found.count == 2) found.change = std::move(shared);
  }
  return out;
}

}  // namespace

std::vector<PlanChange> compare_plans(const Plan& a, const Plan& b) {
  Node left, right;
  left.keys = Tree(a).keys_of(a);
  right.keys = Tree(b).keys_of(b);
  return Comparison().run(left, right);
}

std::string diff_plans(const Plan& a, const Plan& b) {
  std::string out, part;
  size_t shown = 0, hidden = 0;
  const auto close = [&] {
    if (hidden) out += "  and " + std::to_string(hidden) + " more\n";
    shown = hidden = 0;
  };
  for (const auto& [change, count] : by_layers(compare_plans(a, b))) {
    if (change.part != part) {
      close();
      part = change.part;
      out += part + "\n";
    }
    if (shown == kMostChanges) {
      ++hidden;
      continue;
    }
    ++shown;
    out += "  " + line_of(change) + (count > 1 ? "  (" + std::to_string(count) + " alike)" : "") + "\n";
  }
  close();
  return out;
}

std::string diff_plans_json(const Plan& a, const Plan& b) {
  std::string out = "[";
  const auto text = [](const std::optional<std::string>& s) {
    return s ? nlohmann::ordered_json(*s).dump(-1, ' ', false,
                                               nlohmann::ordered_json::error_handler_t::replace)
             : "null";
  };
  for (const PlanChange& change : compare_plans(a, b)) {
    out += out.size() > 1 ? ",\n" : "\n";
    out += "{\"part\":" + text(change.part) + ",\"name\":" + text(change.name) +
           ",\"field\":" + text(change.field) + ",\"before\":" + text(change.before) +
           ",\"after\":" + text(change.after) + "}";
  }
  return out + (out.size() > 1 ? "\n]\n" : "]\n");
}

}  // namespace irplan
