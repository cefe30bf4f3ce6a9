#include "policyd/ctl/block_arguments.h"

#include <cstdlib>
#include <memory>
#include <pwd.h>
#include <unistd.h>

#include "shared/duration.h"
#include "shared/percent_encoding.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr const char* kTypes = "email, domain, ehlo, client, account or recipient";

}  // namespace

Result<BlockTarget> TargetArgument::parse() const {
  if (!type.empty()) {
    const auto known = parse_block_type(type);
    if (!known) return Error{"--type: " + policyd::quoted(type) + " is none of " + kTypes};
    return BlockTarget::make(*known, text);
  }
  const size_t colon = text.find(':');
  const auto named =
      colon == std::string::npos ? std::nullopt : parse_block_type(text.substr(0, colon));
  return named ? BlockTarget::make(*named, text.substr(colon + 1)) : BlockTarget::infer(text);
}

std::shared_ptr<TargetArgument> declare_target(Arguments& takes) {
  auto target = std::make_shared<TargetArgument>();
  takes.text("TARGET", target->text, "e.g. joe@example.com, example.com, 192.0.2.0/24, or TYPE:TARGET")
      .required()
      .not_empty();
  takes.text("--type", target->type, std::string(kTypes).append("; inferred where TARGET tells"));
  return target;
}

Result<Json> BlockOptions::to_json() const {
  Json json = Json::object();
  if (direction) {
    if (!parse_block_direction(*direction)) {
      return Error{"--direction: " + policyd::quoted(*direction) + " is none of in, out, both"};
    }
    json["direction"] = *direction;
  }
  if (duration && forever)
    return Error{"--for and --forever contradict each other; give one of them"};
  if (duration) {
    if (const auto parsed = parse_duration(*duration); !parsed)
      return Error{"--for: " + parsed.error().message};
    json["for"] = *duration;
  }
  if (forever) json["expires"] = nullptr;
  if (description) json["description"] = *description;
  if (reply) json["reply"] = *reply;
  return json;
}

std::shared_ptr<BlockOptions> declare_block_options(Arguments& takes) {
  auto options = std::make_shared<BlockOptions>();
  takes.text("--direction", options->direction, "in (mail to us), out (mail of our users) or both");
  takes.text("--for", options->duration, "how long, e.g. 90s, 15m, 2h, 30d; else until it is removed");
  takes.text("--description", options->description, "why; never shown to the client");
  takes.text("--reply", options->reply, "the SMTP reply, or its text alone, in place of the configured one");
  return options;
}

std::string path_of(const BlockTarget& target) {
  return "/v1/blocks/" + std::string(block_type_name(target.type)) + "/" +
         percent_encode(target.target);
}

std::string operator_name() {
  for (const char* variable : {"SUDO_USER", "USER"}) {
    const char* name = std::getenv(variable);
    if (name && *name) return std::string(name) + " via policyctl";
  }
  const passwd* entry = getpwuid(getuid());
  return (entry ? std::string(entry->pw_name) : "uid " + std::to_string(getuid())) +
         " via policyctl";
}

}  // namespace policyd
