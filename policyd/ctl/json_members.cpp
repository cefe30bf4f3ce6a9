#include "policyd/ctl/json_members.h"

#include "shared/displayable.h"

namespace policyd {

const Json& member_of(const Json& json, const char* key) {
  static const Json kNothing;
  if (!json.is_object()) return kNothing;
  const auto found = json.find(key);
  return found == json.end() ? kNothing : *found;
}

std::string text_of(const Json& json, const char* key) {
  const auto* text = member_of(json, key).get_ptr<const std::string*>();
  return text ? *text : std::string();
}

std::string name_of(const Json& json, const char* key) {
  const std::string name = text_of(json, key);
  return name.empty() ? name : displayable_name(name);
}

int64_t number_of(const Json& json, const char* key) {
  const Json& number = member_of(json, key);
  return number.is_number_integer() ? number.get<int64_t>() : 0;
}

double real_of(const Json& json, const char* key) {
  const Json& number = member_of(json, key);
  return number.is_number() ? number.get<double>() : 0;
}

}  // namespace policyd
