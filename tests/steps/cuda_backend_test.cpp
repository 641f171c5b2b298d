// The CUDA backend on a runtime that says what it was asked: no device needed.
#include <cstdlib>

#include "fake_cuda/fake_cuda.h"
#include "native/plan_run.h"

namespace irplan::test {
namespace {

// Steps of a tiny Llama on the fake device.
struct FakeRun {
  std::unique_ptr<Plan> plan =
      plan_of(compiled(file_text("examples/models/llama.irplan"), "cuda", llama_config(false)));
  Text text{*plan, 5, 12};
  uint32_t tokens = *find_input(*plan, "tokens");
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Session> session;

  FakeRun() {
    fake::device() = {};
    auto made = make_fake_cuda_backend(0);
    REQUIRE(made);
    backend = *std::move(made);
    session = std::make_unique<Session>(*plan, *backend);
  }
  Failure prepare() {
    WeightSource weights;
    weights.seed = 3;
    return session->prepare(text.steps, weights);
  }
  Failure step(size_t i) {
    Failure failure = session->bind(text.steps[i]);
    if (!failure) failure = session->set_input(tokens, text.tokens[i]);
    return failure ? failure : session->run();
  }
};

}  // namespace

TEST_CASE("cuda: steps launch each record once, in one stream, and take no memory") {
  FakeRun run;
  REQUIRE_FALSE(run.prepare());
  fake::Device& device = fake::device();
  for (size_t i = 0; i < run.text.steps.size(); ++i) {
    const fake::Device before = device;
    REQUIRE_FALSE(run.step(i));
    CHECK(device.launches - before.launches == static_cast<int64_t>(run.session->schedule()->records.size()));
    if (i < 3) continue;
    CHECK(device.allocations == before.allocations);
    CHECK(device.pinned == before.pinned);
    CHECK(device.waits - before.waits <= 2);  // for the tokens, and for the step
  }
  CHECK(device.wrong == "");
}

TEST_CASE("cuda: a kernel's error is told at the end of the step, and with its op where each is waited for") {
  for (const bool one_by_one : {false, true}) {
    if (one_by_one) setenv("IRPLAN_CUDA_SYNC", "1", 1);
    FakeRun run;
    REQUIRE_FALSE(run.prepare());
    REQUIRE_FALSE(run.step(0));
    unsetenv("IRPLAN_CUDA_SYNC");
    REQUIRE_FALSE(run.session->bind(run.text.steps[1]));
    REQUIRE_FALSE(run.session->set_input(run.tokens, run.text.tokens[1]));
    fake::device().launch_that_fails = 3;
    const Failure failure = run.session->run();
    REQUIRE(failure);
    INFO(*failure);
    CHECK(failure->find("cudaErrorIllegalAddress") != std::string::npos);
    const std::string op = "ops " + run.plan->ops[run.session->schedule()->records[3].op].id + ": ";
    CHECK((failure->find(op) == 0) == one_by_one);
    CHECK((failure->find("IRPLAN_CUDA_SYNC=1") != std::string::npos) == !one_by_one);
  }
}

TEST_CASE("cuda: what the device has no memory for is refused with its sum, before anything is taken") {
  FakeRun run;
  fake::device().free_bytes = 1000;
  const Failure failure = run.prepare();
  REQUIRE(failure);
  CHECK(failure->find("out of memory: ") == 0);
  CHECK(failure->find("and 1000 are there on a device that is not there (sm_90)") != std::string::npos);
  CHECK(fake::device().allocations == 0);
}

TEST_CASE("cuda: a host without a driver, a device or that device is told so") {
  fake::device() = {};
  fake::device().driver = false;
  CHECK(make_fake_cuda_backend(0).message().find("no CUDA driver on this host") == 0);
  fake::device() = {};
  fake::device().count = 0;
  CHECK(make_fake_cuda_backend(0).message().find("no CUDA device on this host") == 0);
  fake::device() = {};
  CHECK(make_fake_cuda_backend(2).message() == "there is no CUDA device 2: this host has 1");
}

}  // namespace irplan::test
