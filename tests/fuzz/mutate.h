// Deterministic mutations of programs: bytes, words and lines, within one program and across two.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace irplan::fuzz {

// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(next() % bound); }

 private:
  uint64_t state_;
};

inline const std::vector<std::string_view>& fragments() {
  static const std::vector<std::string_view> kFragments = {"(",
                                                           ")",
                                                           "[",
                                                           "]",
                                                           "{",
                                                           "}",
                                                           "\"",
                                                           "\\",
                                                           "#",
                                                           "\n",
                                                           ";",
                                                           ",",
                                                           ":",
                                                           "=",
                                                           "==",
                                                           "<=",
                                                           "..",
                                                           ".",
                                                           "?",
                                                           "??",
                                                           "&&",
                                                           "||",
                                                           "!",
                                                           "-",
                                                           "+",
                                                           "*",
                                                           "/",
                                                           "//",
                                                           "%",
                                                           "{*}",
                                                           "{p}",
                                                           " let ",
                                                           " for i in 3 with h {\n",
                                                           " if a {\n",
                                                           " else ",
                                                           " fn f(x) { return x }\n",
                                                           " param f16[D]",
                                                           " state f16[B, C]",
                                                           " from \"a\"",
                                                           " return ",
                                                           " require ",
                                                           " budget memory <= 1GiB\n",
                                                           " dim S in 1..4\n",
                                                           " phase p { S = 1 }\n",
                                                           " input x: f16[S]\n",
                                                           "irplan 1\n",
                                                           " none ",
                                                           " true ",
                                                           "1e999",
                                                           "9223372036854775807",
                                                           "9223372036854775808",
                                                           "24GiB",
                                                           "0.1",
                                                           "1_0",
                                                           "1..2",
                                                           "\xC3\xA9",
                                                           "\xFF",
                                                           "\t",
                                                           "\r\n",
                                                           " # c\n",
                                                           "\n\n\n",
                                                           "  ",
                                                           "config.a.b"};
  return kFragments;
}

// Blanks, line breaks and comments where they mean nothing, and some where they do.
inline std::string relayout(std::string text, Random& random) {
  constexpr std::string_view kBlanks[] = {"\n", " # c\n",          "  ", "\n\n\n", "\n   ",
                                          "\t", "\n# own\n      ", "",   " "};
  const size_t rounds = 1 + random.below(20);
  for (size_t round = 0; round < rounds; ++round) {
    const size_t at =
        text.find_first_of(random.below(4) ? ",([" : "+*=?:{}) \n", random.below(text.size() + 1));
    if (at == std::string::npos) continue;
    const bool blank = text[at] == ' ' || text[at] == '\n';
    const std::string_view by = kBlanks[random.below(std::size(kBlanks))];
    blank ? text.replace(at, 1, by) : text.insert(at + 1, by);
  }
  return text;
}

inline std::string mutate(std::string text, std::string_view other, Random& random) {
  if (random.below(2)) return relayout(std::move(text), random);
  const size_t rounds = 1 + random.below(4);
  for (size_t round = 0; round < rounds; ++round) {
    const size_t at = random.below(text.size() + 1);
    const size_t length = std::min<size_t>(random.below(random.below(4) ? 8 : 200), text.size() - at);
    switch (random.below(7)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, fragments()[random.below(fragments().size())]); break;
      case 2: text.replace(at, length, fragments()[random.below(fragments().size())]); break;
      case 3: text.insert(at, text.substr(random.below(text.size() + 1), random.below(80))); break;
      case 4: text.insert(at, other.substr(random.below(other.size() + 1), random.below(200))); break;
      case 5:
        if (at < text.size()) text[at] = static_cast<char>(random.below(random.below(4) ? 128 : 256));
        break;
      default: {  // joins or splits lines: what the layout is sensitive to
        const size_t newline = text.find('\n', at);
        if (newline != std::string::npos && random.below(2)) {
          text.replace(newline, 1, " ");
        } else {
          const size_t blank = text.find(' ', at);
          if (blank != std::string::npos) text.replace(blank, 1, random.below(3) ? "\n" : " # c\n");
        }
      }
    }
  }
  return text;
}

}  // namespace irplan::fuzz
