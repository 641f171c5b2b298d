// Names that other systems have for our operators.
#include "ops/alias.h"

#include <algorithm>
#include <set>

#include "catch.h"

using namespace irplan;

TEST_CASE("every alias is sorted, leads to an operator or says how to write it, and shadows none") {
  const auto table = alias_table();
  CHECK(std::is_sorted(table.begin(), table.end(), [](const AliasRow& a, const AliasRow& b) {
    return std::string_view(a.name) < b.name;
  }));
  std::set<std::string> seen;
  for (const AliasRow& row : table) {
    INFO(row.name);
    CHECK(seen.insert(row.name).second);
    const OpRow* ours = row.ours ? find_op(row.ours) : nullptr;
    CHECK((row.ours ? ours && !ours->fused : row.how != nullptr));
    const auto found = find_alias(row.name);
    REQUIRE(found);
    CHECK(found->row == ours);
    const OpRow* same = find_op(row.name);
    CHECK((!same || same->fused));
  }
}

TEST_CASE("case and underscores do not count, and a signature says what must be given") {
  CHECK(find_alias("LayerNormalization")->row == find_op("layernorm"));
  CHECK(find_alias("rms_norm")->row == find_op("rmsnorm"));
  CHECK(find_alias("scaled_dot_product_attention")->row == find_op("attention"));
  CHECK(!find_alias("frobnicate"));
  CHECK(signature(*find_op("rmsnorm")) == "rmsnorm(x, w?, eps=…, offset=0)");
  CHECK(signature(*find_op("concat")) == "concat(x, …, axis=-1)");
  CHECK(signature(*find_op("silu")) == "silu(x)");
}
