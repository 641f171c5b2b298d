// plan.json described from the table of its fields: as a JSON Schema, and as TypeScript.
#pragma once

#include <string>

namespace irplan {

std::string plan_schema();  // core/src/plan/plan.schema.json
std::string plan_types();   // wasm/plan.d.ts

}  // namespace irplan
