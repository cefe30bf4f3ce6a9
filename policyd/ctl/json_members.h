// JSON as the admin API writes it, and its members as policyctl reads them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace policyd {

using Json = nlohmann::ordered_json;

// Members of answers; empty, 0 or null where there is none of that kind.
std::string text_of(const Json& json, const char* key);
// The same of a name, as displayable_name() has it; empty where there is none.
std::string name_of(const Json& json, const char* key);
int64_t number_of(const Json& json, const char* key);
double real_of(const Json& json, const char* key);
const Json& member_of(const Json& json, const char* key);

}  // namespace policyd
