// The layouts of the requests and what is written into them. Contract: request_maker.h.
#include "tests/bench/request_maker.h"

#include <array>
#include <ctime>
#include <unistd.h>

namespace policyd::bench {
namespace {

// From Postfix 3.7.11, captured; {name} is a slot. The trailing empty line is part of the request.
constexpr std::string_view kOutgoing =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
    "client_address=198.18.1{client}.1{host}\nclient_name=h1{host}.n1{client}.example.net\n"
    "client_port={port}\nreverse_client_name=h1{host}.n1{client}.example.net\n"
    "server_address=192.0.2.25\nserver_port=587\nhelo_name=h1{host}.n1{client}.example.net\n"
    "sender=user{account}@example{domain}.com\nrecipient=rcpt{recipient}@dest{destination}."
    "example\n"
    "recipient_count=0\nqueue_id=\ninstance={pid}.{time}.{usec}.0\nsize=12345\n"
    "etrn_domain=\nstress=\nsasl_method=PLAIN\nsasl_username=user{account}@example{domain}.com\n"
    "sasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"
    "encryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\n"
    "encryption_keysize=256\npolicy_context=\n\n";

constexpr std::string_view kIncoming =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
    "client_address=198.18.1{client}.1{host}\nclient_name=h1{host}.n1{client}.example.net\n"
    "client_port={port}\nreverse_client_name=h1{host}.n1{client}.example.net\n"
    "server_address=192.0.2.25\nserver_port=25\nhelo_name=h1{host}.n1{client}.example.net\n"
    "sender=rcpt{recipient}@dest{operator}.example\nrecipient=user{account}@example{domain}."
    "com\n"
    "recipient_count=0\nqueue_id=\ninstance={pid}.{time}.{usec}.0\nsize=12345\n"
    "etrn_domain=\nstress=\nsasl_method=\nsasl_username=\n"
    "sasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"
    "encryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\n"
    "encryption_keysize=256\npolicy_context=\n\n";

constexpr std::string_view kMinimal =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=198.18.1{client}.1{host}\n"
    "sender=user{account}@example{domain}.com\nrecipient=rcpt{recipient}@dest{destination}."
    "example\n"
    "instance={pid}.{time}.{usec}.0\nsasl_username=user{account}@example{domain}.com\n\n";

struct ProfileRow {
  std::string_view name;
  Profile profile;
  std::string_view layout;
};
constexpr std::array<ProfileRow, 3> kProfiles = {{
    {"outgoing", Profile::outgoing, kOutgoing},
    {"incoming", Profile::incoming, kIncoming},
    {"minimal", Profile::minimal, kMinimal},
}};

// What one request is made of.
struct Draw {
  uint64_t sequence;  // counts requests
  uint64_t account;   // below the number of accounts
  uint64_t random;    // scattered, but the same in every run
  uint64_t pid;
  uint64_t started;
};

// The last `width` digits of `value`.
void write_digits(char* to, int width, unsigned base, uint64_t value) {
  for (int i = width - 1; i >= 0; --i, value /= base) to[i] = "0123456789abcdef"[value % base];
}

}  // namespace

std::optional<Profile> parse_profile(std::string_view name) {
  for (const ProfileRow& row : kProfiles)
    if (row.name == name) return row.profile;
  return std::nullopt;
}

struct RequestMaker::Slot {
  std::string_view name;
  int width;
  unsigned base;
  uint64_t (*value)(const Draw& draw);
};

const std::vector<RequestMaker::Slot>& RequestMaker::slots() {
  static const std::vector<Slot> rows = {
      {"account", 7, 10, [](const Draw& draw) { return draw.account; }},
      {"domain", 2, 10, [](const Draw& draw) { return draw.account; }},
      {"client", 2, 10, [](const Draw& draw) { return draw.account / 100; }},
      {"host", 2, 10, [](const Draw& draw) { return draw.account; }},
      {"port", 5, 10, [](const Draw& draw) { return 10000 + draw.random % 50000; }},
      {"recipient", 6, 10, [](const Draw& draw) { return draw.random >> 16; }},
      // A server sends for its own domain.
      {"operator", 3, 10, [](const Draw& draw) { return draw.account; }},
      {"destination", 3, 10, [](const Draw& draw) { return draw.random >> 40; }},
      // Postfix: the smtpd's process id, and the time to the microsecond at which the message
      // began.
      {"pid", 5, 16, [](const Draw& draw) { return draw.pid; }},
      {"time", 8, 16, [](const Draw& draw) { return draw.started + (draw.sequence >> 20); }},
      {"usec", 5, 16, [](const Draw& draw) { return draw.sequence; }},
  };
  return rows;
}

RequestMaker::RequestMaker(Profile profile, uint64_t accounts)
    : accounts_(accounts),
      pid_(static_cast<uint64_t>(getpid())),
      started_(static_cast<uint64_t>(std::time(nullptr))) {
  lay_out(kProfiles[static_cast<size_t>(profile)].layout);
}

void RequestMaker::lay_out(std::string_view layout) {
  while (!layout.empty()) {
    size_t open = layout.find('{');
    text_ += layout.substr(0, open);
    if (open == layout.npos) return;
    size_t close = layout.find('}', open);
    for (const Slot& slot : slots()) {
      if (slot.name != layout.substr(open + 1, close - open - 1)) continue;
      patches_.push_back({text_.size(), &slot});
      text_.append(static_cast<size_t>(slot.width), '0');
    }
    layout.remove_prefix(close + 1);
  }
}

std::string_view RequestMaker::next() {
  // Steps of a prime above any number of accounts: all of them take their turn, neighbours far
  // apart.
  constexpr uint64_t kStride = 2654435761;
  Draw draw{.sequence = sequence_,
            .account = sequence_ * kStride % accounts_,
            .random = (sequence_ + 1) * 0x9e3779b97f4a7c15,
            .pid = pid_,
            .started = started_};
  ++sequence_;
  for (const Patch& patch : patches_) {
    const Slot& slot = *patch.slot;
    write_digits(text_.data() + patch.offset, slot.width, slot.base, slot.value(draw));
  }
  return text_;
}

}  // namespace policyd::bench
