// policyctl block: who may not send (or receive) until lifted.
#include "policyd/ctl/block_arguments.h"

#include <memory>
#include "policyd/ctl/block_import.h"
#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"
#include "shared/duration.h"

namespace policyd {

namespace {

// "in 1d 23h", or "never".
std::string time_left(const Json& block) {
  const auto expires = parse_time(text_of(block, "expires"));
  if (!expires) return "never";
  return "in " + describe_duration(std::max(*expires - SystemClock().wall(), Milliseconds(0)));
}

std::string block_name(const Json& block) {
  return text_of(block, "type") + ":" + name_of(block, "target");
}

std::string render_block(const Json& block) {
  const std::string expires = text_of(block, "expires");
  return render_facts({{"type", text_of(block, "type")},
                       {"target", name_of(block, "target")},
                       {"direction", text_of(block, "direction")},
                       {"ends", expires.empty() ? "never" : time_left(block) + ", " + expires},
                       {"description", text_of(block, "description")},
                       {"reply", text_of(block, "reply")},
                       {"by", text_of(block, "by")},
                       {"created", text_of(block, "created")}});
}

// --- add

struct AddOptions {
  std::shared_ptr<TargetArgument> target;
  std::shared_ptr<BlockOptions> block;
  bool replace = false;
};

int add_block(Session& session, const AddOptions& options) {
  const auto target = options.target->parse();
  if (!target) return session.fail(kUsage, target.error().message);
  auto body = options.block->to_json();
  if (!body) return session.fail(kUsage, body.error().message);
  (*body)["by"] = operator_name();
  Answer answer;
  if (options.replace) {
    answer = session.ask("PUT", path_of(*target), *body);
  } else {
    (*body)["type"] = block_type_name(target->type);
    (*body)["target"] = target->target;
    answer = session.ask("POST", "/v1/blocks", *body);
    if (answer.conflict)
      answer.error += "; change it with `policyctl block edit`, or say --replace";
  }
  return session.show(answer, [&](const Json& block) {
    const auto& duration = options.block->duration;
    return "blocked " + block_name(block) + (duration ? " for " + *duration : " until it is removed") +
           "\n";
  });
}

CommandAction declare_add(Arguments& takes) {
  const auto options = std::make_shared<AddOptions>();
  options->target = declare_target(takes);
  options->block = declare_block_options(takes);
  takes.flag("--replace", options->replace, "in place of a block that is there");
  return [options](Session& session) { return add_block(session, *options); };
}

// --- edit

CommandAction declare_edit(Arguments& takes) {
  const auto target_argument = declare_target(takes);
  const auto options = declare_block_options(takes);
  takes.flag("--forever", options->forever, "until it is removed");
  return [=](Session& session) {
    const auto target = target_argument->parse();
    if (!target) return session.fail(kUsage, target.error().message);
    const auto body = options->to_json();
    if (!body) return session.fail(kUsage, body.error().message);
    if (body->empty()) {
      return session.fail(kUsage,
                          "there is nothing to change; say --direction, --for, --forever, "
                          "--description or --reply");
    }
    return session.show(session.ask("PATCH", path_of(*target), *body), render_block);
  };
}

// --- list, show, rm

std::string render_list(const Json& answer) {
  Table table({{"TYPE"}, {"TARGET"}, {"DIRECTION"}, {"ENDS"}, {"BY"}, {"DESCRIPTION"}});
  for (const Json& block : member_of(answer, "blocks")) {
    table.add({text_of(block, "type"), name_of(block, "target"), text_of(block, "direction"),
               time_left(block), text_of(block, "by"), text_of(block, "description")});
  }
  return table.empty() ? "no blocks\n" : table.render(terminal_width());
}

CommandAction declare_list(Arguments&) {
  return [](Session& session) { return session.show(session.get("/v1/blocks"), render_list); };
}

// A command on one block.
template <class Render>
CommandAction on_block(Arguments& takes, const char* method, Render render) {
  return [method, render, argument = declare_target(takes)](Session& session) {
    const auto target = argument->parse();
    if (!target) return session.fail(kUsage, target.error().message);
    return session.show(session.ask(method, path_of(*target)), render);
  };
}

CommandAction declare_show(Arguments& takes) {
  return on_block(takes, "GET", render_block);
}

CommandAction declare_rm(Arguments& takes) {
  return on_block(takes, "DELETE",
                  [](const Json& answer) { return "lifted " + name_of(answer, "removed") + "\n"; });
}

constexpr Command kCommands[] = {
    {"block", "add", "blocks a sender, domain, EHLO name, client, account or recipient",
     declare_add},
    {"block", "list", "all blocks in force", declare_list},
    {"block", "show", "one block", declare_show},
    {"block", "edit", "changes what is given of a block", declare_edit},
    {"block", "rm", "lifts a block", declare_rm},
    {"block", "import", "adds blocks from JSON lines, as export prints them", declare_import},
    {"block", "export", "prints all blocks as JSON, one a line", declare_export},
};

}  // namespace

std::span<const Command> block_commands() {
  return kCommands;
}

}  // namespace policyd
