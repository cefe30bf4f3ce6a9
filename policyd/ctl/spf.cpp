// policyctl spf: evaluates SPF by hand, for a client, a sender and an EHLO name.
#include <memory>
#include <optional>
#include <string>

#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"

namespace policyd {

namespace {

struct Given {
  std::string client, sender, helo;
  std::optional<std::string> receiver;
};

struct MeaningRow {
  std::string_view result;
  std::string_view meaning;
};
constexpr MeaningRow kMeanings[] = {
    {"none", "there is no SPF record"},
    {"neutral", "the domain does not say whether the client may send mail for it"},
    {"pass", "the client is permitted to send mail for the domain"},
    {"fail", "the client is not permitted to send mail for the domain"},
    {"softfail", "the client is probably not permitted to send mail for the domain"},
    {"temperror", "the record could not be looked up"},
    {"permerror", "the record is broken"},
};

std::string meaning_of(const std::string& result) {
  for (const MeaningRow& row : kMeanings) {
    if (row.result == result) return std::string(row.meaning);
  }
  return {};
}

std::string render(const Json& answer) {
  const std::string result = text_of(answer, "result");
  const std::string explanation = text_of(answer, "explanation");
  return render_facts({{"result", result + ": " + meaning_of(result)},
                       {"matched by", text_of(answer, "mechanism")},
                       {"problem", text_of(answer, "problem")},
                       {"domain", text_of(answer, "domain")},
                       {"identity", text_of(answer, "identity") == "helo" ? "EHLO name" : "envelope sender"},
                       {"domain explains", explanation},
                       {"Received-SPF", text_of(answer, "received_spf")}});
}

CommandAction declare_spf(Arguments& takes) {
  const auto given = std::make_shared<Given>();
  takes.text("--client", given->client, "the client's IP address").required();
  takes.text("--sender", given->sender, "the envelope sender; empty, or left out, is the null sender");
  takes.text("--helo", given->helo, "what the client says at EHLO or HELO");
  takes.text("--receiver", given->receiver, "in place of this host's name, for explanations");
  return [given](Session& session) {
    const std::string sender = given->sender == "<>" ? "" : given->sender;
    Json query = {{"client", given->client}, {"sender", sender}, {"helo", given->helo}};
    if (given->receiver) query["receiver"] = *given->receiver;
    return session.show(session.ask("POST", "/v1/spf", query), render);
  };
}

constexpr Command kCommands[] = {
    {"", "spf", "whether a client may send mail for a domain (RFC 7208)", declare_spf},
};

}  // namespace

std::span<const Command> spf_commands() {
  return kCommands;
}

}  // namespace policyd
