// Questions about resolved names.
#include "names/names.h"

#include <algorithm>

#include "base/sort.h"

namespace irplan::names {

const char* kind_text(Kind kind) {
  switch (kind) {
    case Kind::Let: return "let";
    case Kind::Dim: return "dim";
    case Kind::Input: return "input";
    case Kind::Phase: return "phase";
    case Kind::Function: return "fn";
    case Kind::Parameter: return "parameter";
    case Kind::Loop: return "loop variable";
    case Kind::Value: return "value";
    case Kind::Output: return "output";
  }
  return "";
}

const Mention* Names::at(uint32_t offset) const {
  // The last one that begins at or before the place; of two that touch it, the one that begins there.
  const auto after = std::upper_bound(mentions_.begin(), mentions_.end(), offset,
                                      [](uint32_t place, const Mention& m) { return place < m.span.begin; });
  for (auto it = after; it != mentions_.begin();) {
    --it;
    if (it->span.end >= offset) return &*it;
    if (after - it > 2) break;
  }
  return nullptr;
}

RegionId Names::region_at(uint32_t offset) const {
  RegionId best = 0;
  for (RegionId i = 1; i < regions_.size(); ++i) {
    const Span span = regions_[i].span;
    // Regions are nested, and inner ones stand behind their outer ones.
    if (span.begin < offset && offset <= span.end && within(i, best)) best = i;
  }
  return best;
}

bool Names::within(RegionId inner, RegionId outer) const {
  while (inner > outer) inner = regions_[inner].parent;
  return inner == outer;
}

bool Names::exclusive(RegionId a, RegionId b) const {
  if ((regions_[a].phases & regions_[b].phases) == 0) return true;
  // Up to where both meet; a region stands behind its parent.
  RegionId below_a = a, below_b = b;
  while (a != b) {
    if (a > b)
      below_a = a, a = regions_[a].parent;
    else
      below_b = b, b = regions_[b].parent;
  }
  if (below_a == a || below_b == a || below_a == below_b) return false;
  const Region &one = regions_[below_a], &other = regions_[below_b];
  return one.choice && one.choice == other.choice;
}

std::vector<NameId> Names::visible(uint32_t offset) const {
  const RegionId here = region_at(offset);
  uint32_t limit = UINT32_MAX;
  for (RegionId r = here; r != 0; r = regions_[r].parent) {
    if (regions_[r].kind == Region::Kind::Function) limit = regions_[r].position;
  }
  std::vector<NameId> out;
  for (NameId i = 0; i < names_.size(); ++i) {
    const Name& name = names_[i];
    if (name.kind == Kind::Phase || name.mentions.empty() || !within(here, name.region)) continue;
    const bool above = mentions_[name.mentions.front()].span.end < offset;
    if (name.region == 0 && name.position >= limit) continue;
    if (name.region == 0 && !above) continue;
    if (!above && name.kind != Kind::Loop) continue;
    out.push_back(i);
  }
  return out;
}

std::vector<const Mention*> Names::definitions(const Mention& mention) const {
  std::vector<const Mention*> out;
  if (mention.name == kNoName) return out;
  if (mention.role == Role::Binding) return {&mention};
  const Name& name = names_[mention.name];
  const auto& all = name.mentions;
  const auto binds = [&](uint32_t i) { return mentions_[i].role == Role::Binding; };
  const auto place =
      std::lower_bound(all.begin(), all.end(), mention.span.begin,
                       [&](uint32_t i, uint32_t begin) { return mentions_[i].span.begin < begin; });
  // Upwards to the first one that surely comes before. On the way out of a loop that hands the name on, the
  // last binding of a round may come before as well.
  RegionId inside = mention.region;
  for (auto it = place; it != all.begin();) {
    const Mention& before = mentions_[*--it];
    if (before.role == Role::Carried) {
      for (RegionId i = inside; i != 0; i = regions_[i].parent) {
        if (regions_[i].kind != Region::Kind::Loop || regions_[i].span.begin < before.span.end) continue;
        if (within(before.region, i)) continue;
        for (auto last = all.end(); last != all.begin();) {
          const Mention& of_round = mentions_[*--last];
          if (!binds(*last) || !within(of_round.region, i) || exclusive(of_round.region, mention.region))
            continue;
          if (std::find(out.begin(), out.end(), &of_round) == out.end()) out.push_back(&of_round);
          break;
        }
        break;
      }
      continue;
    }
    if (before.role != Role::Binding || exclusive(before.region, mention.region)) continue;
    // What stands in a statement is evaluated before that binds.
    if (before.expr && before.item && mention.span.begin >= before.item->span.begin &&
        mention.span.end <= before.item->span.end)
      continue;
    if (std::find(out.begin(), out.end(), &before) == out.end()) out.push_back(&before);
    if (within(mention.region, before.region)) break;
  }
  if (out.empty()) {
    for (const uint32_t i : all) {
      if (binds(i)) return {&mentions_[i]};
    }
  }
  sort_range(out.begin(), out.end(),
             [](const Mention* a, const Mention* b) { return a->span.begin < b->span.begin; });
  return out;
}

// Whether one could stand where the other is known.
bool Names::share_scope(const Name& a, const Name& b) const {
  if (!within(a.region, b.region) && !within(b.region, a.region)) return false;
  const Name& inner = a.region > b.region ? a : b;
  const Name& outer = a.region > b.region ? b : a;
  if (outer.region != 0 || inner.region == 0) return true;
  for (RegionId r = inner.region; r != 0; r = regions_[r].parent) {
    // A function does not see what is made below it.
    if (regions_[r].kind == Region::Kind::Function) return outer.position < regions_[r].position;
  }
  return outer.position <= inner.position;
}

std::string Names::collision(NameId id, std::string_view other, const SourceText& source) const {
  const Name& name = names_[id];
  const std::string quoted = "`" + std::string(other) + "`";
  const auto line = [&](const Mention& m) {
    return "line " + std::to_string(source.locate(m.span.begin).line);
  };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto part = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  if (other.empty() || !letter(other[0]) || !std::all_of(other.begin(), other.end(), part))
    return quoted + " is not a name: a letter, then letters, digits and `_`";
  if (ast::find_word(other)) return quoted + " is a word of the language";
  for (const ast::Ambient& word : ast::ambient_names()) {
    if (other == word.text) return quoted + " is a word of the language";
  }
  if (find_dtype(other)) return quoted + " is a dtype";
  if (name.kind == Kind::Phase && other == "load") return "`load` is a reserved phase name";
  if (name.kind == Kind::Function && (find_op(other) || ast::find_function(other) || other == "output"))
    return quoted + " is an operator of the language: calls of it would change their meaning";
  for (const Name& one : names_) {
    if (tree_->text(one.symbol) != other || one.mentions.empty() || &one == &name) continue;
    if ((one.kind == Kind::Phase) != (name.kind == Kind::Phase) || !share_scope(one, name)) continue;
    return quoted + " is bound already, at " + line(mentions_[one.mentions.front()]);
  }
  for (const Mention& m : mentions_) {
    if (m.what == Mention::What::Unknown && source.slice(m.span) == other)
      return quoted + " stands at " + line(m) + " without a meaning, and would get this one";
  }
  return "";
}

}  // namespace irplan::names
