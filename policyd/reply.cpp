#include "policyd/reply.h"

#include <charconv>

#include "shared/duration.h"
#include "shared/protocol.h"
#include "shared/text.h"

namespace policyd {

namespace {

void append_number(std::string& out, int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name);
  append_quoted(out, value);
}

void append_findings(std::string& out, const Verdict& verdict) {
  out += " findings=[";
  bool first = true;
  for (const Finding& finding : verdict.findings) {
    if (!std::exchange(first, false)) out += ", ";
    out += finding.check->name;
    if (finding.outcome) {
      out.push_back('.');
      out += finding.outcome->name;
      out += finding.weight < 0 ? ":" : ":+";
      append_number(out, finding.weight);
      if (!finding.counted) out += " (dry run)";
    } else {
      out += ": not done";
    }
    if (finding.detail.empty()) continue;
    out.push_back(' ');
    append_quoted(out, finding.detail, 80);
  }
  out.push_back(']');
}

void append_limit(std::string& out, const ChargeResult& charge) {
  if (charge.limit) {
    out += " limit=\"";
    out += meter_name(charge.limit->meter);
    out.push_back(' ');
    out += charge.limit->to_string();
    out.push_back('"');
  }
  if (charge.retry_after) {
    out += " wait=";
    append_number(out, charge.retry_after->count());
    out += "ms";
  }
  if (charge.sign) {
    out += " sign=\"";
    out += meter_name(charge.sign->meter);
    out.push_back(' ');
    append_number(out, charge.sign_used);
    out += " of ";
    out += charge.sign->to_string();
    out.push_back('"');
  }
  if (charge.local) out += " store=away";
}

void append_greylisting(std::string& out, const Greylisting& greylisting) {
  out += " greylist=";
  out += greylist_outcome_name(greylisting.result.outcome);
  if (!greylisting.counted) out += " (dry run)";
  append_field(out, " greylist_client=", greylisting.client);
  if (greylisting.result.waits()) {
    out += " wait=";
    append_number(out, greylisting.result.wait.count());
    out += "ms";
  }
  if (greylisting.result.outcome == GreylistResult::Outcome::unknown) out += " store=away";
}

}  // namespace

std::string reply_to(const Verdict& verdict) {
  if (verdict.action == Action::dunno) return "action=DUNNO\n\n";
  std::string action;
  if (verdict.smtp_code != 0) {
    append_number(action, verdict.smtp_code);
  } else {
    action = verdict.if_permit ? "DEFER_IF_PERMIT" : action_name(verdict.action);
  }
  action.push_back(' ');
  action += verdict.text;
  return format_reply(action);
}

void append_log_line(std::string& out, const Request& request, const Verdict& verdict) {
  out += "verdict=";
  out += action_name(verdict.action);
  out += " cause=";
  out += cause_name(verdict.cause);
  out.push_back(' ');
  out += direction_name(verdict.direction);
  out += " state=";
  append_quoted(out, request.get(Attribute::protocol_state), 20);
  append_field(out, " account=", verdict.account);
  append_field(out, " client=", request.client_address());
  append_field(out, " client_name=", request.get(Attribute::client_name));
  append_field(out, " ehlo=", request.helo_name());
  out += " sender=";
  append_quoted(out, request.sender());
  append_field(out, " recipient=", request.recipient());
  if (!verdict.findings.empty()) {
    out += " score=";
    append_number(out, verdict.score);
    append_findings(out, verdict);
  }
  if (verdict.block) {
    out += " block=";
    append_quoted(out, std::string(block_type_name(verdict.block->target.type)) + ":" + verdict.block->target.target);
  }
  append_field(out, " rule=", verdict.rule);
  if (verdict.lock) {
    out += " lock=";
    append_quoted(out, verdict.lock->reason);
  }
  append_limit(out, verdict.charge);
  if (verdict.greylisting) append_greylisting(out, *verdict.greylisting);
  append_field(out, " text=", verdict.text);
  append_field(out, " id=", verdict.id);
  append_field(out, " queue_id=", request.get(Attribute::queue_id));
  append_field(out, " instance=", request.instance());
}

}  // namespace policyd
