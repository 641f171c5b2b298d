// A program as an editor has it: the text as it stands, its tree and names (made when first asked for), the
// config beside it, and what the last compilation found, which may be of an older text.
//
// Every keystroke makes a new tree and new names, which takes a millisecond or two; nothing here compiles.
// What a compilation found is shown at places of the text as it is now: what stands before and behind all
// that changed since is where it was, and of what stands between nothing is known.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/bindings.h"
#include "ir/config.h"
#include "ir/graph.h"
#include "irplan/compile.h"
#include "names/names.h"
#include "syntax/tree.h"

namespace irplan::language {

namespace ast = irplan::syntax;

class Document {
 public:
  explicit Document(std::string name, std::string text = "");

  void set_text(std::string text);  // nothing where it is the same
  void set_config(std::string name, std::optional<std::string> text);
  void take(Compilation compilation);

  const SourceText& source() const { return source_; }
  const std::string& config_name() const { return config_name_; }
  const std::optional<std::string>& config_text() const { return config_text_; }
  const Compilation* compilation() const { return compilation_ ? &*compilation_ : nullptr; }

  const ast::Tree& tree();
  const names::Names& names();
  const Config* config();  // null where there is none, or none that can be read

  // Where a part of the text stood when it was compiled; none where that is not known.
  std::optional<Span> then(Span now) const;
  std::optional<Span> now(Span then) const;

 private:
  void compare();

  SourceText source_;
  std::unique_ptr<ast::Tree> tree_;
  std::optional<names::Names> names_;
  std::string config_name_ = "config.json";
  std::optional<std::string> config_text_;
  std::optional<Config> config_;
  bool config_read_ = false;
  std::optional<Compilation> compilation_;
  uint32_t same_before_ = 0, same_behind_ = 0;  // bytes that the text and the compiled one have in common
};

}  // namespace irplan::language
