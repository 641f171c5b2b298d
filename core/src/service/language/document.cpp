#include "service/language/document.h"

#include <algorithm>

#include "syntax/parser.h"

namespace irplan::language {

Document::Document(std::string name, std::string text) : source_(name, std::move(text)) {}

void Document::set_text(std::string text) {
  if (text == source_.text()) return;
  source_ = SourceText(source_.name(), std::move(text));
  names_.reset();
  tree_.reset();
  compare();
}

void Document::set_config(std::string name, std::optional<std::string> text) {
  config_name_ = std::move(name);
  if (text == config_text_) return;
  config_text_ = std::move(text);
  config_.reset();
  config_read_ = false;
}

void Document::take(Compilation compilation) {
  compilation_ = std::move(compilation);
  compare();
}

const ast::Tree& Document::tree() {
  if (!tree_) {
    Diagnostics ignored;  // the compiler tells them
    tree_ = std::make_unique<ast::Tree>(ast::parse(source_, ignored));
  }
  return *tree_;
}

const names::Names& Document::names() {
  if (!names_) names_.emplace(source_, tree());
  return *names_;
}

const Config* Document::config() {
  if (!config_read_ && config_text_) {
    if (auto config = Config::parse(*config_text_)) config_ = *std::move(config);
  }
  config_read_ = true;
  return config_ ? &*config_ : nullptr;
}

void Document::compare() {
  same_before_ = same_behind_ = 0;
  if (!compilation_) return;
  const std::string &now = source_.text(), &then = compilation_->source.text();
  const size_t most = std::min(now.size(), then.size());
  const auto [a, b] = std::mismatch(now.begin(), now.begin() + static_cast<ptrdiff_t>(most), then.begin());
  same_before_ = static_cast<uint32_t>(a - now.begin());
  while (same_behind_ < most - same_before_ &&
         now[now.size() - 1 - same_behind_] == then[then.size() - 1 - same_behind_])
    ++same_behind_;
}

std::optional<Span> Document::then(Span now) const {
  if (!compilation_) return std::nullopt;
  if (now.end <= same_before_) return now;
  const auto size = static_cast<uint32_t>(source_.text().size());
  if (now.begin < size - same_behind_) return std::nullopt;
  const auto shift = static_cast<uint32_t>(compilation_->source.text().size()) - size;
  return Span{now.begin + shift, now.end + shift};
}

std::optional<Span> Document::now(Span then) const {
  if (!compilation_) return std::nullopt;
  if (then.end <= same_before_) return then;
  const auto size = static_cast<uint32_t>(compilation_->source.text().size());
  if (then.begin < size - same_behind_) return std::nullopt;
  const auto shift = static_cast<uint32_t>(source_.text().size()) - size;
  return Span{then.begin + shift, then.end + shift};
}

}  // namespace irplan::language
