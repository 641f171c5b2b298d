#include "irplan/diagnostic.h"

#include <algorithm>
#include <tuple>

#include "base/sort.h"

namespace irplan {

const std::vector<CodeInfo>& all_codes() {
  static const std::vector<CodeInfo> codes = {
#define IRPLAN_DIAGNOSTIC(code, name, severity, text) {Code::name, #code, Severity::severity, text},
#include "irplan/diagnostics.def"
#undef IRPLAN_DIAGNOSTIC
  };
  return codes;
}

const CodeInfo& info(Code code) { return all_codes()[static_cast<size_t>(code)]; }

const CodeInfo* find_code(std::string_view name) {
  for (const CodeInfo& row : all_codes()) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

namespace {

// "{0}" becomes the first argument; braces around anything but a digit stand for themselves.
std::string fill(std::string_view text, std::span<const std::string_view> arguments) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool place = text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}' && text[i + 1] >= '0' &&
                       text[i + 1] <= '9';
    const auto index = place ? static_cast<size_t>(text[i + 1] - '0') : arguments.size();
    if (index < arguments.size()) {
      out += arguments[index];
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Remarks about the command line have no place in the text; several of one code differ by what they say.
bool same_cause(const Diagnostic& a, const Diagnostic& b) {
  return a.code == b.code && a.span == b.span && a.elsewhere == b.elsewhere &&
         (a.span.end > 0 || a.message == b.message);
}

}  // namespace

Diagnostic& Diagnostics::add(Code code, Span span, std::span<const std::string_view> arguments,
                             std::shared_ptr<const SourceText> elsewhere) {
  const CodeInfo& row = info(code);
  Diagnostic made{code, row.severity, fill(row.text, arguments), span, {}, {}, {}, {}, std::move(elsewhere)};
  const bool told =
      std::any_of(list_.begin(), list_.end(), [&](const Diagnostic& d) { return same_cause(d, made); });
  if (told) return spare_ = std::move(made);
  if (row.severity == Severity::Error) ++errors_;
  // What the compiler did not look at is told, however much else was.
  if (list_.size() >= kMaxKept && code != Code::WorkLimit) {
    ++dropped_;
    return spare_ = std::move(made);
  }
  list_.reserve(kMaxKept + 1);  // references that callers hold stay good
  return list_.emplace_back(std::move(made));
}

Diagnostic* Diagnostics::find(Code code, Span span) {
  const auto same = [&](const Diagnostic& d) { return d.code == code && d.span == span; };
  const auto found = std::find_if(list_.begin(), list_.end(), same);
  return found == list_.end() ? nullptr : &*found;
}

void Diagnostics::sort() {
  const auto key = [](const Diagnostic& d) {
    return std::tuple(!d.elsewhere, d.span.begin, d.severity != Severity::Error, d.code, d.span.end);
  };
  sort_range(list_.begin(), list_.end(),
             [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
}

void Diagnostics::judge(const std::vector<std::string>& allowed, const std::vector<std::string>& denied) {
  const auto is_one_of = [](const std::vector<std::string>& codes) {
    return [&codes](const Diagnostic& d) {
      const bool listed = std::find(codes.begin(), codes.end(), info(d.code).name) != codes.end();
      return d.severity == Severity::Warning && listed;
    };
  };
  std::erase_if(list_, is_one_of(allowed));
  for (Diagnostic& d : list_) {
    if (!is_one_of(denied)(d)) continue;
    d.severity = Severity::Error;
    ++errors_;
  }
}

void Diagnostics::warnings_are_errors() {
  for (Diagnostic& d : list_) {
    if (d.severity == Severity::Error) continue;
    d.severity = Severity::Error;
    ++errors_;
  }
}

}  // namespace irplan
