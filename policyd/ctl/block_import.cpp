#include "policyd/ctl/block_import.h"

#include <cstdio>
#include <memory>

#include "policyd/ctl/block_arguments.h"
#include "shared/shallow_json.h"
#include "shared/text.h"

namespace policyd {

namespace {

int export_blocks(Session& session) {
  return session.show(session.get("/v1/blocks"), [](const Json& answer) {
    std::string lines;
    for (const Json& block : member_of(answer, "blocks")) lines += to_line(block) + "\n";
    return lines;
  });
}

struct BadLine {
  size_t number;
  std::string reason;
};

struct Import {
  size_t imported = 0;
  size_t expired = 0;
  std::vector<BadLine> bad;
};

bool has_run_out(const Json& block) {
  const auto expires = parse_time(text_of(block, "expires"));
  return expires && *expires <= SystemClock().wall();
}

Result<BlockTarget> target_of(const Json& block) {
  if (text_of(block, "target").empty())
    return Error{"\"target\" is missing; expected e.g. \"target\": \"joe@example.com\""};
  return TargetArgument{text_of(block, "target"), text_of(block, "type")}.parse();
}

// Not ok with kUnreachable: there is no use in going on.
Answer import_line(Session& session, std::string_view line, Import& import) {
  Json block = parse_shallow_json(line);
  if (!block.is_object()) return {kRefused, "not a JSON object", {}, false};
  const auto target = target_of(block);
  if (!target) return {kRefused, target.error().message, {}, false};
  if (has_run_out(block)) {
    ++import.expired;
    return {};
  }
  if (!block.contains("by")) block["by"] = operator_name();
  Answer answer = session.ask("PUT", path_of(*target), block);
  if (answer.ok()) ++import.imported;
  return answer;
}

std::string summary(const Import& import) {
  std::string text =
      std::to_string(import.imported) + (import.imported == 1 ? " block" : " blocks") + " imported";
  if (import.expired > 0) text += ", " + std::to_string(import.expired) + " had run out";
  if (!import.bad.empty()) text += ", " + std::to_string(import.bad.size()) + " bad";
  return text + "\n";
}

int finish(const Session& session, const std::string& file, const Import& import) {
  Json json = {{"imported", import.imported}, {"expired", import.expired}};
  Json& errors = json["errors"] = Json::array();
  const std::string name = file == "-" ? "line " : file + ":";
  for (const BadLine& bad : import.bad) {
    errors.push_back({{"line", bad.number}, {"error", bad.reason}});
    if (!session.options().json)
      session.fail(kRefused, name + std::to_string(bad.number) + ": " + bad.reason);
  }
  const int shown = session.show(json, summary(import));
  return import.bad.empty() ? shown : kRefused;
}

int import_blocks(Session& session, const std::string& file) {
  const auto octets = read_input(file);
  if (!octets) return session.fail(kRefused, octets.error().message);
  Import import;
  std::string_view rest = *octets;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    const Answer answer = import_line(session, line, import);
    if (answer.code == kUnreachable) {
      return session.fail(kUnreachable, "line " + std::to_string(number) + ": " + answer.error +
                                            "; " + std::to_string(import.imported) +
                                            " blocks were imported before");
    }
    if (!answer.ok()) import.bad.push_back({number, answer.error});
  }
  return finish(session, file, import);
}

}  // namespace

CommandAction declare_export(Arguments&) {
  return export_blocks;
}

CommandAction declare_import(Arguments& takes) {
  const auto file = std::make_shared<std::string>("-");
  takes.text("FILE", *file, "what export printed; - is standard input").shows_default().not_empty();
  return [file](Session& session) { return import_blocks(session, *file); };
}

}  // namespace policyd
