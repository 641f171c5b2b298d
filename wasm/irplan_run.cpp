// The second module: it runs plans (runner.h). A page loads it when somebody wants to run one.
#include <emscripten/bind.h>
#include <emscripten/emscripten.h>

#include <string>

#include "runner.h"

// Tells `onWeights` of the module how many bytes of weights are there, of how many.
EM_JS(void, irplan_loaded, (double done, double of), {
  if (Module["onWeights"]) Module["onWeights"](done, of);
});

namespace {

irplan::PlanRunner& runner() {
  static irplan::PlanRunner only(
      [](int64_t done, int64_t of) { irplan_loaded(static_cast<double>(done), static_cast<double>(of)); });
  return only;
}

// Addresses as JavaScript has numbers: beyond 2 GiB they are no negative ones.
double address(const std::byte* at) { return static_cast<double>(reinterpret_cast<uintptr_t>(at)); }

}  // namespace

EMSCRIPTEN_BINDINGS(irplan_run) {
  emscripten::function("call", emscripten::optional_override(
                                   [](const std::string& request) { return runner().call(request); }));
  emscripten::function(
      "room", emscripten::optional_override([](double bytes) {
        return bytes > 0 && bytes < 4294967296.0 ? address(runner().room(static_cast<size_t>(bytes))) : 0.0;
      }));
  emscripten::function("data", emscripten::optional_override([] { return address(runner().data()); }));
  emscripten::function(
      "dataBytes", emscripten::optional_override([] { return static_cast<double>(runner().data_bytes()); }));
}
