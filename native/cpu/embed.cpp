// embed: the rows that ids name, without touching the rest of the table.
#include <algorithm>
#include <string>

#include "cpu/call.h"

namespace irplan::cpu {

bool embed(Call& call) {
  const auto w = call.weight(1);
  if (!w || w->shape.size() != 2) return false;
  const auto ids = call.array(0);
  auto y = call.result();
  if (!ids || !y) return true;
  const int64_t rows = w->shape[0], width = w->shape[1];
  std::vector<float> scratch(static_cast<size_t>(width));
  for (int64_t at = 0; at < ids->count(); ++at) {
    const int64_t id = ids->i[static_cast<size_t>(at)];
    if (id < 0 || id >= rows) {
      call.failure = "ops " + call.op().id + ": id " + std::to_string(id) + " at place " +
                     std::to_string(at) + " of " + call.id(0) + " is outside of the " + std::to_string(rows) +
                     " rows of " + call.id(1);
      return true;
    }
    std::copy_n(w->floats(id * width, width, scratch.data()), width, y->f.data() + at * width);
  }
  call.store(*y);
  return true;
}

}  // namespace irplan::cpu
