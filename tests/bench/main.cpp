// ./dev bench NAME
#include <cstdio>
#include <string>

#include "bench/bench.h"

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "compile";
  if (name == "compile") return irplan::bench::compile_bench();
  if (name == "fit") return irplan::bench::fit_bench();
  if (name == "bind") return irplan::bench::bind_bench();
  if (name == "planning") return irplan::bench::planning_bench();
  if (name == "hostile") return irplan::bench::hostile_bench();
  if (name == "language") return irplan::bench::language_bench();
  if (name == "readers") return irplan::bench::readers_bench();
  if (name == "products") return irplan::bench::products_bench();
  if (name == "steps") return irplan::bench::steps_bench();
  if (name == "cpu") return irplan::bench::cpu_bench({argv + 2, argv + argc});
  std::fprintf(stderr,
               "there is no bench %s; there are compile, fit, bind, planning, hostile, readers, products, "
               "steps and cpu\n",
               name.c_str());
  return 2;
}
