// What each command does. Every one returns its exit code; results go to stdout, everything else to stderr.
#pragma once

#include "tools/irplan/arguments.h"

namespace irplan::cli {

int run_plan(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_explain(const Arguments& arguments);
int run_fit(const Arguments& arguments);
int run_fmt(const Arguments& arguments);
int run_diff(const Arguments& arguments);
int run_ops(const Arguments& arguments);
int run_kernels(const Arguments& arguments);
int run_passes(const Arguments& arguments);
int run_pack(const Arguments& arguments);
int run_new(const Arguments& arguments);
int run_link(const Arguments& arguments);
int run_lsp(const Arguments& arguments);
int run_completion(const Arguments& arguments);
int run_man(const Arguments& arguments);

}  // namespace irplan::cli
