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
//   {"method": "bind", "plan": "…", "dims": {"S": 512}}      the sizes and places of a plan's buffers at
//   other sizes;
//       -> {"ok", "phases": […], "resident": […]}            without "plan": of the plan that was compiled or
//       bound last
//   {"method": "explain", "plan": "…", "phase": "decode", "width": 100}    -> {"text", "report": {…}}
//   {"method": "picture", "plan": "…", "phase": "decode"}    -> {"svg", "phase"}
//   {"method": "diff", "before": "…", "after": "…"}          -> {"changes": […], "text"}
//   {"method": "fit", "config": "…", "memory": "24GiB" | bytes, "gpu": "h200", "context": n, "batch": n,
//    "step": n, "lets", "retypes", "budgets", "target"}      -> {"text", "fit": {…}}
//   {"method": "new", "config": "…"}                         -> {"text", "example", "fits",
//   "unread_config_keys", "errors"}
//   {"method": "pack", "csv": "…", "capacity": n, "strength": "limited"}   -> {"height", "bound", "proven",
//   "offsets", "csv"}, and {"conflict": ids, "irreducible"} where the capacity is not met
//   {"method": "format", "text": "…"}                        -> {"text": "…" | null, "diagnostics": […]}
//   {"method": "ops"}                                        -> {"ops": […], "dtypes": […]}, for completion
//   and hover
//   {"method": "version"}                                    -> {"version", "plan_version"}
//
// A request that is none of these gets {"error": "…"}.
#pragma once

#include <string>
#include <string_view>

namespace irplan {

// Never throws: a fault of the compiler's own is {"error": "…", "fault": true}. Keeps the last plan that it
// parsed, so that a slider's next step costs no reading; not thread-safe.
std::string serve(std::string_view request_json);

}  // namespace irplan
