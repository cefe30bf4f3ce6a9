#include "policyd/admin/block_json.h"

#include <algorithm>
#include <array>

#include "policyd/admin/note.h"
#include "shared/duration.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr Milliseconds kLongestBlock = std::chrono::hours(24 * 3650);

Result<void> set_direction(Block& block, const std::string& value, const BlockRules&) {
  const auto direction = parse_block_direction(value);
  if (!direction) return Error{policyd::quoted(value) + " is none of in, out, both"};
  block.direction = *direction;
  return {};
}

Result<void> set_reply(Block& block, const std::string& value, const BlockRules& rules) {
  if (!value.empty()) {
    if (const auto reply = SmtpReply::parse(value, rules.reply); !reply) return reply.error();
  }
  block.reply = value;
  return {};
}

template <std::string Block::*Member>
Result<void> set_text(Block& block, const std::string& value, const BlockRules&) {
  if (auto checked = check_note(value); !checked) return checked;
  block.*Member = value;
  return {};
}

Result<void> set_created(Block& block, const std::string& value, const BlockRules&) {
  const auto time = parse_time(value);
  if (!time)
    return Error{policyd::quoted(value) + " is not a time; expected e.g. 2026-11-21T10:00:00Z"};
  block.created = format_time(*time);
  return {};
}

Result<void> set_expires(Block& block, const std::string& value, const BlockRules& rules) {
  const auto time = parse_time(value);
  if (!time)
    return Error{policyd::quoted(value) + " is not a time; expected e.g. 2026-11-21T10:00:00Z"};
  if (*time <= rules.now)
    return Error{policyd::quoted(value) + " has passed; the block would end before it begins"};
  if (*time > rules.now + kLongestBlock)
    return Error{policyd::quoted(value) + " is more than 10 years ahead"};
  block.expires = time;
  return {};
}

Result<void> set_duration(Block& block, const std::string& value, const BlockRules& rules) {
  const auto duration = parse_duration(value);
  if (!duration) return duration.error();
  if (duration->count() == 0)
    return Error{policyd::quoted(value) + " is no time at all; expected e.g. 2d"};
  block.expires = rules.now + *duration;
  return {};
}

// The keys that a request may name, beside type and target.
struct KeyRow {
  std::string_view name;
  Result<void> (*set)(Block& block, const std::string& value, const BlockRules& rules);
};
constexpr std::array kKeys = {
    KeyRow{"direction", set_direction}, KeyRow{"description", set_text<&Block::description>},
    KeyRow{"reply", set_reply},         KeyRow{"by", set_text<&Block::by>},
    KeyRow{"created", set_created},     KeyRow{"expires", set_expires},
    KeyRow{"for", set_duration},
};

Error wrong(const std::string& key, const std::string& reason) {
  return Error{key + ": " + reason};
}

Result<void> change(Block& block, const std::string& key, const Json& value,
                    const BlockRules& rules) {
  const auto* row =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const KeyRow& one) { return one.name == key; });
  if (row == kKeys.end()) {
    return Error{policyd::quoted(key) +
                 " is not a part of a block; expected direction, description, reply, by, created, "
                 "expires or for"};
  }
  if (key == "expires" && value.is_null()) {
    block.expires.reset();
    return {};
  }
  const auto* text = value.get_ptr<const std::string*>();
  if (!text) return wrong(key, "expected a text");
  if (auto set = row->set(block, *text, rules); !set) return wrong(key, set.error().message);
  return {};
}

}  // namespace

std::string block_name(const BlockTarget& target) {
  return std::string(block_type_name(target.type)) + ":" + target.target;
}

Json block_to_json(const Block& block) {
  Json json = {{"type", block_type_name(block.target.type)}, {"target", block.target.target}};
  const auto fields = block.fields();
  for (const char* name : {"direction", "description", "reply", "by", "created"}) {
    if (const auto field = fields.find(name); field != fields.end()) json[name] = field->second;
  }
  if (block.expires) json["expires"] = format_time(*block.expires);
  return json;
}

Result<void> change_block(Block& block, const Json& json, const BlockRules& rules) {
  if (json.contains("for") && json.contains("expires"))
    return Error{"for and expires say the same; give one of them"};
  for (const auto& [key, value] : json.items()) {
    if (key == "type" || key == "target") continue;
    if (auto changed = change(block, key, value, rules); !changed) return changed;
  }
  if (!json.contains("target")) return {};
  const auto target = target_from_json(json);
  if (!target) return target.error();
  if (*target == block.target) return {};
  return Error{"the body is about " + block_name(*target) + ", the path about " +
               block_name(block.target)};
}

Result<BlockTarget> target_from_json(const Json& json) {
  const auto text_of = [&](const char* key) -> const std::string* {
    const auto found = json.find(key);
    return found == json.end() ? nullptr : found->get_ptr<const std::string*>();
  };
  const std::string* target = text_of("target");
  if (!target) return Error{"target: expected a text, e.g. \"joe@example.com\""};
  if (!json.contains("type")) return BlockTarget::infer(*target);
  const std::string* name = text_of("type");
  const auto type = parse_block_type(name ? *name : "");
  if (!type) {
    return Error{"type: " + (name ? policyd::quoted(*name) : json["type"].dump()) +
                 " is none of email, domain, ehlo, client, account, recipient"};
  }
  return BlockTarget::make(*type, *target);
}

}  // namespace policyd
