// What a page asks of the compiler: one JSON request in, one JSON reply out.
//
//   {"method": "compile", "file": "a.irplan", "text": "…", "config": "…" | null, "config_name":
//   "config.json",
//    "options": {"dims": {"S": 2048}, "lets": {"C": "131072"}, "retypes": {"state": "f8e4m3"},
//                "target": "cuda:sm_90", "deny_warnings": false,
//                "budgets": ["memory <= 24GiB"], "keep_order": false, "strength": "portfolio",
//                "advise": true}}     false: a missed budget is not planned under other choices, while one
//                types
//       -> {"ok", "plan": "<plan.json's exact bytes>" | null, "diagnostics": […], "rendered",
//       "unread_config_keys": […]}
//       With "keep": true the plan stays here, and what comes back is a handle to it: {"ok", "handle": 7 |
//       null, "refused", "diagnostics", …}. A program that only its budgets over bytes refuse has a handle,
//       too, so that it can be drawn: "refused" is then true. The last kKept plans are kept.
//   {"method": "outline", "handle": 7}           -> plan.json without values, buffers and ops
//   {"method": "slice", "handle": 7, "phase": "decode"}      -> the records of a phase as columns
//   (phase_slice.h)
//   {"method": "proof", "handle": 7}             -> {"sha256", "bytes"}: of plan.json's bytes
//   {"method": "text", "handle": 7}              -> {"text": "<plan.json's exact bytes>"}
//   {"method": "release", "handle": 7}           -> {"ok"}
//   {"method": "bind", "plan": "…" , "dims": {"S": 512}}      the sizes and places of a plan's buffers at
//   other sizes;
//       -> {"ok", "phases": […], "resident": […]}            without "plan": of the plan that was compiled or
//       bound last, or of "handle"; "phase": lists are wanted of this one alone
//   {"method": "passes", …}         as compile: the graph after each pass that changed it, as text
//       -> {"passes": [{"name", "contract", "text"}]}
//   {"method": "explain", "plan": "…" or "handle", "phase": "decode", "width": 100}    -> {"text", "report":
//   {…}}
//   {"method": "picture", "plan": "…" or "handle", "phase": "decode"}    -> {"svg", "phase"}
//   {"method": "diff", "before": "…", "after": "…"}          -> {"changes": […], "text"}
//   {"method": "fit", "config": "…", "memory": "24GiB" | bytes, "gpu": "h200", "context": n, "batch": n,
//    "step": n, "lets", "retypes", "budgets", "target"}      -> {"text", "fit": {…}}
//   {"method": "new", "config": "…"}                         -> {"text", "example", "fits",
//   "unread_config_keys", "errors"}
//   {"method": "pack", "csv": "…", "capacity": n, "strength": "limited"}   -> {"height", "bound", "proven",
//   "offsets", "csv"}, and {"conflict": ids, "irreducible"} where the capacity is not met
//   {"method": "format", "text": "…"}                        -> {"text": "…" | null, "diagnostics": […]}
//   {"method": "language", "ask": "textDocument/hover", "params": {…}, "file", "text", "config", …}  -> what
//   an editor asks about a program (language/serve_language.h)
//   {"method": "ops"}                                        -> {"ops": […], "dtypes": […]}, for completion
//   and hover
//   {"method": "version"}                                    -> {"version", "plan_version"}
//
// A request that is none of these gets {"error": "…"}.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace irplan {

constexpr size_t kKept = 8;  // plans that handles stand for; the oldest goes first

// Told the name of each pass of a compilation when it is done.
using OnPass = std::function<void(const char*)>;

// Never throws: a fault of the compiler's own is {"error": "…", "fault": true}. Keeps the last plan that it
// parsed, so that a slider's next step costs no reading; not thread-safe.
std::string serve(std::string_view request_json, const OnPass& on_pass = {});

}  // namespace irplan
