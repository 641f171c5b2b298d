// Laws that hold of every program, on random ones: what a change of the text must leave as it is.
#include <cctype>
#include <functional>
#include <set>
#include <sstream>

#include "catch.h"
#include "memory/check_numbers.h"
#include "memory/check_program.h"
#include "memory/planned.h"
#include "plan/bounds.h"

using namespace irplan;
using namespace irplan::memory_test;

namespace {

constexpr uint64_t kSeeds = 60;

bool part_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Each name outside of strings as `as` wants it.
std::string with_names(const std::string& text, const std::function<std::string(const std::string&)>& as) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    if (text[i] == '"') {
      end = text.find('"', i + 1) + 1;
      out += text.substr(i, end - i);
    } else if (part_of_name(text[i])) {
      while (end < text.size() && part_of_name(text[end])) ++end;
      out += as(text.substr(i, end - i));
    } else {
      out += text[end++];
    }
    i = end;
  }
  return out;
}

std::set<std::string> names_of(const std::string& line) {
  std::set<std::string> out;
  with_names(line, [&](const std::string& name) { return out.insert(name), name; });
  return out;
}

// The names that a statement binds: those before its `=`.
std::set<std::string> bound_in(const std::string& line) {
  const size_t equals = line.find(" = ");
  for (const char* other : {"phase ", "let ", "dim ", "input ", "budget ", "if "}) {
    if (line.rfind(other, 0) == 0) return {};
  }
  return equals == std::string::npos || line[0] == ' ' ? std::set<std::string>()
                                                       : names_of(line.substr(0, equals));
}

std::string program_of(uint64_t seed, Features features = {}) {
  Random random(seed);
  return random_program(random, 18, features);
}

std::vector<int64_t> offsets_of(const Plan& plan) {
  std::vector<int64_t> out;
  for (const Plan::Buffer& b : plan.buffers) out.push_back(b.offset);
  return out;
}

std::vector<int64_t> peaks_of(const Plan& plan) {
  std::vector<int64_t> out;
  for (const Plan::Phase& phase : plan.phases) out.push_back(phase.peak_bytes);
  return out;
}

}  // namespace

TEST_CASE("law: names of values, params and dims change no offset") {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = program_of(seed, features_of(seed));
    std::set<std::string> bound = {"x", "z"};
    for (const std::string& line : lines_of(text)) bound.merge(bound_in(line));
    const std::set<std::string> dims = {"B", "S", "T", "P"};
    const auto turned = [&](const std::string& name) {
      std::string out(name.rbegin(), name.rend());
      return "n" + out + std::to_string(name.size() % 3);
    };
    const std::string renamed = with_names(text, [&](const std::string& name) {
      return bound.contains(name) && !dims.contains(name) ? turned(name) : name;
    });
    // As long as the dims' names keep their order, sums of them read alike.
    const std::string of_dims = with_names(
        renamed, [&](const std::string& name) { return dims.contains(name) ? "Z" + name + "9" : name; });
    INFO(text << renamed);
    const Plan plan = planned(text);
    CHECK(offsets_of(planned(renamed)) == offsets_of(plan));
    CHECK(offsets_of(planned(of_dims)) == offsets_of(plan));
  }
}

TEST_CASE("law: a param that nothing reads takes no arena") {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = program_of(seed, features_of(seed));
    const Plan plan = planned(text), more = planned(text + "unread = param f32[512, 512]\n");
    INFO(text);
    CHECK(peaks_of(more) == peaks_of(plan));
    CHECK(more.memory.peak_bytes == plan.memory.peak_bytes);
  }
}

TEST_CASE("law: a larger dim never shrinks an arena") {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = program_of(seed, features_of(seed));
    const Plan plan = planned(text);
    Random random(seed);
    for (const Plan::Phase& phase : plan.phases) {
      const Ranges ranges = ranges_in(plan, phase);
      for (size_t d = 0; d < plan.dims.size(); ++d) {
        Binding at = random_in_ranges(ranges, random);
        int64_t before = 0;
        for (int64_t n = ranges[d].lo; n <= ranges[d].hi; n += 1 + n / 3) {
          at[d] = n;
          const auto arena = bind_arena(plan, phase.name, at);
          REQUIRE(arena);
          INFO(text << phase.name << " " << plan.dims[d].name << "=" << n);
          CHECK(arena->bytes >= before);
          before = arena->bytes;
        }
      }
    }
  }
}

TEST_CASE("law: a larger budget never admits less") {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = program_of(seed, features_of(seed));
    int64_t limit = 64 << 10;
    std::map<std::string, int64_t> before;
    for (int step = 0; step < 5; ++step, limit *= 4) {
      CompileOptions options;
      options.advise = false;
      const Compilation made = compile(
          SourceText("test.irplan", text + "budget inputs + arena <= " + std::to_string(limit) + "B\n"),
          options);
      if (!made.ok) {
        CHECK(before.empty());  // what did not fit does not fit in less
        continue;
      }
      const auto plan = read_plan(made.plan_json);
      REQUIRE(plan);
      // Each dim alone, the others at their least: `max` has them at `value`, which the budget moves as well.
      for (const Plan::Phase& phase : plan->phases) {
        const Ranges ranges = ranges_in(*plan, phase);
        for (size_t d = 0; d < plan->dims.size(); ++d) {
          Binding at;
          for (const Interval& range : ranges) at.push_back(range.lo);
          int64_t low = ranges[d].lo - 1, high = std::min<int64_t>(ranges[d].hi, 4096);
          const auto fits = [&](int64_t n) {
            at[d] = n;
            const auto arena = bind_arena(*plan, phase.name, at);
            int64_t sum = arena ? arena->bytes : INT64_MAX / 2;
            for (const Plan::Buffer& b : plan->buffers) {
              if (b.segment == Plan::Segment::Inputs) sum += (*evaluate(b.bytes, at) + 255) / 256 * 256;
            }
            return sum <= limit;
          };
          while (low < high) {
            const int64_t middle = low + (high - low + 1) / 2;
            fits(middle) ? low = middle : high = middle - 1;
          }
          int64_t& known = before.try_emplace(phase.name + "." + plan->dims[d].name, low).first->second;
          INFO(text << limit << " " << phase.name << "." << plan->dims[d].name);
          CHECK(low >= known);
          known = low;
        }
      }
    }
  }
}

TEST_CASE("law: statements in another order give the same results") {
  int moved = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = program_of(seed);
    std::vector<std::string> head, open, done;
    for (const std::string& line : lines_of(text)) {
      const bool stays =
          line.rfind("dim ", 0) == 0 || line.rfind("input ", 0) == 0 || line.rfind("let ", 0) == 0;
      (stays ? head : open).push_back(line);
    }
    // What a statement needs: names bound above it; of those that speak of states, all above as well.
    Random random(seed);
    std::set<std::string> unbound;
    for (const std::string& line : open) unbound.merge(bound_in(line));
    const auto of_state = [](const std::string& line) {
      return line.find("state ") != std::string::npos || line.find("append(") != std::string::npos ||
             line.find("slice(h") != std::string::npos;
    };
    while (!open.empty()) {
      std::vector<size_t> ready;
      bool state_before = false;
      for (size_t i = 0; i < open.size(); ++i) {
        const std::set<std::string> own = bound_in(open[i]);
        bool good = !of_state(open[i]) || !state_before;
        for (const std::string& name : names_of(open[i].substr(open[i].find(" = ") + 3)))
          good = good && (!unbound.contains(name) || own.contains(name));
        if (good) ready.push_back(i);
        state_before = state_before || of_state(open[i]);
      }
      REQUIRE(!ready.empty());
      const size_t at = ready[static_cast<size_t>(random.below(static_cast<int64_t>(ready.size())))];
      moved += at != 0;
      for (const std::string& name : bound_in(open[at])) unbound.erase(name);
      done.push_back(open[at]);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
    }
    std::string shuffled;
    for (const auto* part : {&head, &done}) {
      for (const std::string& line : *part) shuffled += line + "\n";
    }
    INFO(text << "---\n" << shuffled);
    const Plan one = planned(text), other = planned(shuffled);
    const std::string wrong = check_numbers(one, other, "main", small_step(one, one.phases[0], random));
    CHECK(wrong.empty());
    INFO(wrong);
  }
  CHECK(moved > static_cast<int>(kSeeds));
}

TEST_CASE("law: a plan that is read and written is the same, byte for byte") {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string text = program_of(seed, features_of(seed)) + "budget memory <= 1GiB\n";
    const Compilation made = compile(SourceText("test.irplan", text), {});
    if (!made.ok) continue;
    const auto plan = read_plan(made.plan_json);
    INFO(text << plan.message());
    REQUIRE(plan);
    CHECK(write_plan(*plan) == made.plan_json);
  }
}

TEST_CASE("law: what the compiler writes is accepted, whatever may be 0 and whatever sizes must meet") {
  int plans = 0;
  for (uint64_t seed = 1; seed <= 3 * kSeeds; ++seed) {
    std::string text = program_of(seed, features_of(seed));
    Random random(seed);
    // Dims that may be 0; relations between them, of which some never hold.
    for (const char* dim : {"dim B in 1", "dim S in 1", "dim T in 1"}) {
      if (const size_t at = text.find(dim); at != std::string::npos && random.chance(40)) text[at + 9] = '0';
    }
    constexpr const char* kRelations[] = {"S <= T",         "B * S <= 64",   "T + 1 <= S",
                                          "max(S, T) <= 9", "S + P <= 2000", "S // 2 + 40 <= T",
                                          "min(S, 4) >= B", "S == 2 * T"};
    for (int64_t i = random.below(3); i > 0; --i)
      text += "budget " + std::string(kRelations[random.below(std::size(kRelations))]) + "\n";
    CompileOptions options;
    options.advise = false;
    const Compilation made = compile(SourceText("test.irplan", text), options);
    if (!made.ok) continue;
    ++plans;
    INFO(text);
    const auto plan = read_true_plan(made.plan_json);
    INFO(plan.message());
    REQUIRE(plan);
    for (const Plan::Phase& phase : plan->phases) {
      Binding least;
      for (const Interval& range : ranges_in(*plan, phase)) least.push_back(range.lo);
      if (!admitted(*plan, phase, least)) continue;
      const auto finding = PlanBounds(*plan).check(phase.name, least);
      INFO(finding.value_or(""));
      CHECK(!finding);
    }
  }
  CHECK(plans > 60);
}
