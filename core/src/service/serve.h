// What a page asks of the compiler: one JSON request in, one JSON reply out.
//
//   {"method": "compile", "file": "a.irplan", "text": "…", "config": "…" | null, "config_name":
//   "config.json",
//    "options": {"dims": {"S": 2048}, "lets": {"C": "131072"}, "retypes": {"state": "f8e4m3"},
//                "target": "cuda:sm_90", "deny_warnings": false,
//                "advise": true}}     false: a missed budget is not planned under other choices, while one
//                types
//       -> {"ok", "plan": "<plan.json's exact bytes>" | null, "diagnostics": […], "rendered",
//       "unread_config_keys": […]}
//   {"method": "bind", "plan": "…", "dims": {"S": 512}}      the sizes and places of a plan's buffers at
//   other sizes;
//       -> {"ok", "phases": […], "resident": […]}            without "plan": of the plan that was compiled or
//       bound last
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
