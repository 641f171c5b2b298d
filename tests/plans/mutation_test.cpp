// True plans, broken by name: each change is refused by its rule, or the plan computes bit for bit what it
// did. And each place of the proof that refuses is switched off: some broken plan must then come through.
//
//     IRPLAN_MUTANTS=10000 build/bin/irplan-test-plans      as many mutants as asked, instead of a small
//     share
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "catch.h"
#include "memory/planned.h"
#include "plans/corpus.h"
#include "plans/mutations.h"

using namespace irplan;
using namespace irplan::plans_test;
using memory_test::Random;
using proof::Rule;
using proof::Site;

namespace {

constexpr int64_t kFewMutants = 3000;

int64_t mutants() {
  const char* asked = std::getenv("IRPLAN_MUTANTS");
  return asked ? std::max<int64_t>(std::atoll(asked), 1) : kFewMutants;
}

struct Subject {
  std::string name;
  Plan plan;
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = [] {
    std::vector<Subject> out;
    for (const True& t : corpus(mutants() > kFewMutants ? 120 : 12)) out.push_back({t.name, read(t)});
    return out;
  }();
  return all;
}

// The plan with a change made to it, or none where it has nothing to change.
std::optional<Plan> broken(const Plan& plan, const Mutation& mutation, uint64_t seed) {
  Plan out = plan;
  Random random(seed);
  Victim victim(out, random);
  if (!mutation.apply(victim)) return std::nullopt;
  return out;
}

// As validate_plan, with the places that refused.
std::vector<std::string> findings(const Plan& plan, std::vector<std::pair<Rule, Site>>* refusals) {
  proof::instrument().refusals = refusals;
  auto out = validate_plan(plan);
  proof::instrument().refusals = nullptr;
  return out;
}

// What the proof says with one of its places switched off.
enum class Without { Same, Others, None, Crashed };

// In a process of its own: a stage that trusts what was switched off may read what is not there.
Without findings_without(const Site& site, const Plan& plan) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE}) std::signal(signal, SIG_DFL);
    std::freopen("/dev/null", "w", stderr);
    const auto with = validate_plan(plan);
    proof::instrument().site = site;
    const auto without = validate_plan(plan);
    _exit(static_cast<int>(without == with   ? Without::Same
                           : without.empty() ? Without::None
                                             : Without::Others));
  }
  int status = 0;
  waitpid(child, &status, 0);
  const bool told = WIFEXITED(status) && WEXITSTATUS(status) <= static_cast<int>(Without::None);
  return told ? static_cast<Without>(WEXITSTATUS(status)) : Without::Crashed;
}

// Empty where the broken plan, written and read again, does in all phases what the true one does.
std::string same_numbers(const Plan& plan, const Plan& other, Random& random) {
  const auto again = read_plan(write_plan(other));
  if (!again) return "";  // refused by its reader
  for (const Plan::Phase& phase : plan.phases) {
    const StepBinding step = memory_test::small_step(plan, phase, random);
    if (std::none_of(again->phases.begin(), again->phases.end(),
                     [&](const auto& p) { return p.name == phase.name; }))
      return "phase " + phase.name + " is gone";
    const std::string wrong = memory_test::check_numbers(plan, *again, phase.name, step);
    if (!wrong.empty()) return phase.name + ": " + wrong;
  }
  return "";
}

struct Key {
  std::string file;
  int line;
  friend bool operator<(const Key& a, const Key& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  }
};

Key key_of(const Site& site) { return {std::filesystem::path(site.file).filename().string(), site.line}; }

}  // namespace

TEST_CASE("plans that the compiler emits are proven") {
  for (const Subject& s : subjects()) {
    INFO(s.name + ": " + listed(validate_plan(s.plan)));
    CHECK(validate_plan(s.plan).empty());
  }
  CHECK(subjects().size() >= 20);
}

TEST_CASE("a broken plan is refused by its rule, or computes what the true one does") {
  int64_t made = 0, refused = 0, same = 0;
  std::map<std::string, std::pair<int64_t, int64_t>> by_class;  // made, refused by its own rule
  const auto one = [&](const Subject& s, const Mutation& m, uint64_t seed) {
    const auto plan = broken(s.plan, m, seed);
    if (!plan) return;
    ++made;
    const auto found = findings(*plan, nullptr);
    const std::string own = std::string("(rule ") + proof::word(m.rule) + ")";
    auto& tally = by_class[m.name];
    ++tally.first;
    if (!found.empty()) {
      ++refused;
      tally.second += std::any_of(found.begin(), found.end(),
                                  [&](const auto& f) { return f.find(own) != std::string::npos; });
      return;
    }
    Random random(seed);
    const std::string wrong = same_numbers(s.plan, *plan, random);
    INFO(s.name + ", " + m.name + ", seed " + std::to_string(seed));
    CHECK(wrong == "");
    ++same;
  };
  for (uint64_t round = 1; made < mutants() * 2 / 3; ++round) {
    for (const Subject& s : subjects()) {
      for (const Mutation& m : mutations()) one(s, m, round * 7919 + s.plan.ops.size());
    }
  }
  for (const Mutation& m : mutations()) {
    INFO(m.name);
    CHECK(by_class[m.name].second > 0);
  }
  WARN(made << " broken plans: " << refused << " refused, " << same << " the same");
  CHECK(made > 0);
}

TEST_CASE("plans broken in two ways are refused, or compute what the true one does") {
  int64_t made = 0, refused = 0;
  Random random(3);
  for (int64_t i = 0; made < mutants() / 3; ++i) {
    const auto pick = [&](const auto& list) -> const auto& {
      return list[static_cast<size_t>(random.below(static_cast<int64_t>(list.size())))];
    };
    const Subject& s = pick(subjects());
    const Mutation &a = pick(mutations()), &b = pick(mutations());
    if (a.last) continue;
    const auto once = broken(s.plan, a, static_cast<uint64_t>(i) * 3 + 1);
    const auto twice = once ? broken(*once, b, static_cast<uint64_t>(i) * 3 + 2) : std::nullopt;
    if (!twice) continue;
    ++made;
    if (!findings(*twice, nullptr).empty()) {
      ++refused;
      continue;
    }
    INFO(s.name + ", " + a.name + " and " + b.name + ", " + std::to_string(i));
    CHECK(same_numbers(s.plan, *twice, random) == "");
  }
  WARN(made << " plans broken twice: " << refused << " refused");
}

TEST_CASE(
    "each place that refuses is needed: without it, a broken plan comes through or is refused for another "
    "reason") {
  struct Mutant {
    size_t subject, mutation;
    uint64_t seed;
  };
  std::map<Key, std::pair<Site, Mutant>> alone,
      first;  // by site: a mutant that it alone refuses, or refuses first
  for (uint64_t round = 1; round <= 3; ++round) {
    for (size_t s = 0; s < subjects().size(); ++s) {
      for (size_t m = 0; m < mutations().size(); ++m) {
        const uint64_t seed = round * 104729 + s * 31 + m;
        const auto plan = broken(subjects()[s].plan, mutations()[m], seed);
        if (!plan) continue;
        std::vector<std::pair<Rule, Site>> refusals;
        if (findings(*plan, &refusals).empty()) continue;
        std::set<Key> sites;
        for (const auto& [rule, site] : refusals) {
          sites.insert(key_of(site));
          first.try_emplace(key_of(site), site, Mutant{s, m, seed});
        }
        if (sites.size() == 1) alone.try_emplace(*sites.begin(), refusals[0].second, Mutant{s, m, seed});
      }
    }
  }
  int64_t through = 0;
  for (const auto& [key, entry] : first) {
    const auto sole = alone.find(key);
    const auto& [site, mutant] = sole == alone.end() ? entry : sole->second;
    const auto plan = broken(subjects()[mutant.subject].plan, mutations()[mutant.mutation], mutant.seed);
    INFO(key.file + ":" + std::to_string(key.line) + ", " + mutations()[mutant.mutation].name);
    const Without without = findings_without(site, *plan);
    CHECK(without != Without::Same);
    through += without == Without::None;
  }
  // Every place that stands in the sources is one of them, but for these few: what stands before them refuses
  // all that would meet them, and they stay so that no stage has to trust another.
  const std::set<std::string> behind_others = {
      // contents reads nothing of another phase, so that no life crosses one; offsets are counted from its
      // begin
      "order.cpp Live",
      // have a test of their own below: a plan that takes so many steps takes seconds to be made
      "contents.cpp Work",
      "order.cpp Work",
      "sizes.cpp Work",
      "totals.cpp Work",
      "budgets.cpp Work",
  };
  std::vector<std::string> missed;
  size_t places = 0;
  const std::regex call(R"((refuse|strange)\((?:Rule::(\w+)|rule\b|$))");
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(IRPLAN_SOURCE_DIR) + "/core/src/plan/proof")) {
    if (file.path().extension() != ".cpp") continue;
    const std::string name = file.path().filename().string();
    std::ifstream in(file.path());
    std::string line;
    std::vector<std::pair<int, std::string>> calls;  // their line and what stands there
    for (int n = 1; std::getline(in, line); ++n) {
      std::smatch found;
      // Not where a call hands on the place of its caller.
      const bool handed_on =
          line.find("Site site") != std::string::npos || line.find(", site)") != std::string::npos;
      if (!handed_on && std::regex_search(line, found, call)) calls.emplace_back(n, found[2].str());
    }
    calls.emplace_back(1 << 30, "");
    places += calls.size() - 1;
    for (size_t i = 0; i + 1 < calls.size(); ++i) {
      // A call over some lines is told at one of them.
      const auto hit = first.lower_bound({name, calls[i].first});
      const bool met = hit != first.end() && hit->first.file == name && hit->first.line < calls[i + 1].first;
      if (!met && !behind_others.contains(name + " " + calls[i].second))
        missed.push_back(name + ":" + std::to_string(calls[i].first) + " " + calls[i].second);
    }
  }
  CHECK(missed.size() == 0);
  CHECK(alone.size() >= 80);
  std::string list;
  for (const std::string& m : missed) list += "\n  " + m;
  WARN(places << " places refuse; " << first.size() << " were met, " << alone.size() << " alone, " << through
              << " let a broken plan through when switched off; missed:" << list);
}

TEST_CASE("a plan that takes more steps than it is worth is refused, by the stage that counts them") {
  const auto refused = [](const char* program, const char* where, bool formula = true) {
    Plan plan = memory_test::planned(program);
    if (!formula) {
      for (Plan::Phase& phase : plan.phases) phase.peak.reset();
      plan.memory.peak.reset();
      plan.memory.range.proven = false;
    }
    CHECK(validate_plan(plan).empty());
    proof::instrument().most_work = 1;
    const std::string found = listed(validate_plan(plan));
    proof::instrument().most_work = 0;
    INFO(found);
    CHECK(found.find(where) != std::string::npos);
    CHECK(found.find("(rule work)") != std::string::npos);
  };
  constexpr const char* kTwoPeaks =
      "dim S in 1..64\ndim M in 1..64\ninput x: f32[S, 96]\ninput z: f32[M, 96]\n"
      "a = output(sum(relu(exp(x)), axis=1))\nb = output(sum(relu(exp(z)), axis=1))\n";
  refused(kJoined, "ops ");
  refused(kTwoPeaks, "phases main");
  refused(kTwoPeaks, "memory_plan.lower_bound", false);
  refused("dim S in 1..64\nbudget memory <= 1KiB\ninput x: f32[S, 8]\nout = output(relu(x))\n",
          "budget memory");
}
