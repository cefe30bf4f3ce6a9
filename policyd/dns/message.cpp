#include "policyd/dns/message.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace policyd {

namespace {

using std::chrono::seconds;

// RFC 1035, 3.2.2; RFC 3596; RFC 6891.
enum : uint16_t { kA = 1, kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28, kOpt = 41 };
enum : uint16_t { kInternet = 1 };                           // class
enum : unsigned { kNoError = 0, kNameError = 3 };            // RCODE
enum : uint16_t { kIsReply = 0x8000, kTruncated = 0x0200 };  // flags
constexpr int kMostAliases = 16;                             // CNAMEs that are followed

constexpr uint16_t number_of(DnsType type) {
  switch (type) {
    case DnsType::a:
      return kA;
    case DnsType::aaaa:
      return kAaaa;
    case DnsType::mx:
      return kMx;
    case DnsType::txt:
      return kTxt;
    case DnsType::ptr:
      return kPtr;
  }
  return 0;
}

// An octet of a label, escaped where it would read as something else.
void append_octet(std::string& name, uint8_t octet) {
  if (octet == '.' || octet == '\\') {
    name.append({'\\', static_cast<char>(octet)});
  } else if (octet <= ' ' || octet >= 0x7f) {
    name.append({'\\', static_cast<char>('0' + octet / 100), static_cast<char>('0' + octet / 10 % 10),
                 static_cast<char>('0' + octet % 10)});
  } else {
    name.push_back(octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet | 0x20) : static_cast<char>(octet));
  }
}

// Reads on from a place of a message. What is not there reads as 0, and sets failed().
class Reader {
 public:
  Reader(std::string_view message, size_t from, size_t end) : message_(message), at_(from), end_(end) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] size_t at() const { return at_; }
  [[nodiscard]] size_t left() const { return end_ - at_; }

  uint8_t u8() { return has(1) ? static_cast<uint8_t>(message_[at_++]) : uint8_t{0}; }
  uint16_t u16() {
    const unsigned high = u8();
    return static_cast<uint16_t>(high << 8 | u8());
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view octets(size_t count) {
    if (!has(count)) return {};
    at_ += count;
    return message_.substr(at_ - count, count);
  }
  std::string name();

 private:
  bool has(size_t count) {
    if (failed_ || left() < count) failed_ = true;
    return !failed_;
  }

  std::string_view message_;
  size_t at_, end_;
  bool failed_ = false;
};

// RFC 1035, 4.1.4. A pointer has to lead to before the labels it continues, so a name ends however it was made.
std::string Reader::name() {
  constexpr size_t kLongest = 255;
  std::string name;
  Reader labels(message_, at_, end_);  // jumps; this reader goes on behind the first pointer
  size_t start = at_, size = 0;
  bool jumped = false;
  for (;;) {
    const uint8_t length = labels.u8();
    if ((length & 0xc0) == 0xc0) {
      const size_t target = (length & 0x3fU) << 8 | labels.u8();
      if (!jumped) at_ = labels.at_;
      jumped = true;
      if (labels.failed_ || target >= start) break;
      start = target;
      labels = Reader(message_, target, message_.size());
      continue;
    }
    size += size_t{1} + length;
    const std::string_view label = labels.octets(length);
    if (labels.failed_ || length > 63 || size > kLongest) break;
    if (length == 0) {
      if (!jumped) at_ = labels.at_;
      return name;
    }
    if (!name.empty()) name.push_back('.');
    for (const char c : label) append_octet(name, static_cast<uint8_t>(c));
  }
  failed_ = true;
  return {};
}

struct Record {
  std::string owner;
  uint16_t type = 0, klass = 0;
  uint32_t ttl = 0;
  size_t data = 0, size = 0;  // where its RDATA stands

  [[nodiscard]] seconds lifetime() const { return seconds(ttl > INT32_MAX ? 0 : ttl); }  // RFC 2181, 8
  [[nodiscard]] Reader reader(std::string_view message) const { return {message, data, data + size}; }
};

Record read_record(Reader& reader) {
  Record record;
  record.owner = reader.name();
  record.type = reader.u16();
  record.klass = reader.u16();
  record.ttl = reader.u32();
  record.size = reader.u16();
  record.data = reader.at();
  reader.octets(record.size);
  return record;
}

struct Message {
  std::string name;  // of the question
  unsigned rcode = kNoError;
  bool answered = false;            // there are records in the answer section, of whatever class
  std::vector<Record> answers;      // class IN only
  std::vector<Record> authorities;  // SOA records only
  bool refers = false;              // the authority section names other servers
};

// Nothing: it cannot be read, or answers no question of this type.
std::optional<Message> read_message(std::string_view octets, DnsType type) {
  Reader reader(octets, 0, octets.size());
  Message message;
  reader.u16();  // the id
  const uint16_t flags = reader.u16();
  const size_t questions = reader.u16(), answers = reader.u16(), authorities = reader.u16(), others = reader.u16();
  message.name = reader.name();
  const bool ours = reader.u16() == number_of(type) && reader.u16() == kInternet && questions == 1;
  if (reader.failed() || !ours || !(flags & kIsReply) || flags & kTruncated) return std::nullopt;
  message.rcode = flags & 0x0fU;
  message.answered = answers > 0;
  for (size_t i = 0; i < answers && !reader.failed(); ++i) {
    Record record = read_record(reader);
    if (record.klass == kInternet) message.answers.push_back(std::move(record));
  }
  for (size_t i = 0; i < authorities && !reader.failed(); ++i) {
    Record record = read_record(reader);
    message.refers |= record.type == kNs && record.klass == kInternet;
    if (record.type == kSoa && record.klass == kInternet) message.authorities.push_back(std::move(record));
  }
  for (size_t i = 0; i < others && !reader.failed(); ++i) {
    const Record record = read_record(reader);
    if (record.type == kOpt) message.rcode |= record.ttl >> 24 << 4;  // RFC 6891, 6.1.3: the rest of the RCODE
  }
  if (reader.failed()) return std::nullopt;
  return message;
}

IpAddress address_of(std::string_view octets) {
  IpAddress address;
  address.v6 = octets.size() == 16;
  std::copy(octets.begin(), octets.end(), address.octets.begin());
  // IPv4-mapped addresses are their IPv4 address throughout (shared/address.h).
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  return octets.starts_with(kMapped) ? address_of(octets.substr(kMapped.size())) : address;
}

// RFC 1035, 3.3.14: strings, one after the other.
std::string text_of(Reader& data) {
  std::string text;
  while (data.left() > 0 && !data.failed()) {
    const size_t length = data.u8();
    text += data.octets(length);
  }
  return text;
}

// Adds what a record says. False: its RDATA is not of its type.
bool add(const Record& record, DnsType type, std::string_view message, DnsAnswer& answer) {
  Reader data = record.reader(message);
  switch (type) {
    case DnsType::a:
    case DnsType::aaaa:
      if (record.size != (type == DnsType::a ? 4 : 16)) return false;
      answer.addresses.push_back(address_of(data.octets(record.size)));
      break;
    case DnsType::mx: {
      const uint16_t preference = data.u16();
      answer.exchangers.push_back({preference, data.name()});
      break;
    }
    case DnsType::txt:
      answer.texts.push_back(text_of(data));
      break;
    case DnsType::ptr:
      answer.texts.push_back(data.name());
      break;
  }
  return !data.failed() && data.left() == 0;
}

// RFC 2308, 5: the lesser of the SOA record's own TTL and its last field.
std::optional<seconds> negative_ttl(const Message& message, std::string_view octets) {
  if (message.authorities.empty()) return std::nullopt;
  const Record& soa = message.authorities.front();
  Reader data = soa.reader(octets);
  data.name(), data.name();
  for (int i = 0; i < 4; ++i) data.u32();  // serial, refresh, retry, expire
  const uint32_t minimum = data.u32();
  if (data.failed()) return std::nullopt;
  return std::min(soa.lifetime(), seconds(minimum));
}

DnsReply reply_of(DnsStatus status) {
  DnsReply reply;
  reply.answer.status = status;
  return reply;
}

void shorten(std::optional<seconds>& ttl, seconds limit) { ttl = ttl ? std::min(*ttl, limit) : limit; }

// Follows the CNAMEs from the question's name to the name that the records stand at (RFC 1034, 4.3.2). Nothing: they
// go in circles, or cannot be read.
std::optional<std::string> final_name(const Message& message, std::string_view octets, std::optional<seconds>& ttl) {
  std::string name = message.name;
  for (int aliases = 0; aliases <= kMostAliases; ++aliases) {
    const auto alias = std::find_if(message.answers.begin(), message.answers.end(), [&](const Record& record) {
      return record.type == kCname && record.owner == name;
    });
    if (alias == message.answers.end()) return name;
    Reader data = alias->reader(octets);
    name = data.name();
    if (data.failed()) return std::nullopt;
    shorten(ttl, alias->lifetime());
  }
  return std::nullopt;
}

// There are answers, and none is about the name that was asked for.
bool is_beside_the_point(const Message& message) {
  return message.answered && std::none_of(message.answers.begin(), message.answers.end(),
                                          [&message](const Record& record) { return record.owner == message.name; });
}

}  // namespace

DnsReply parse_message(std::string_view octets, DnsType type) {
  const auto message = read_message(octets, type);
  if (!message) return reply_of(DnsStatus::malformed);
  if (message->rcode != kNoError && message->rcode != kNameError) return reply_of(DnsStatus::server_failure);

  std::optional<seconds> ttl;
  const auto name = final_name(*message, octets, ttl);
  if (!name) return reply_of(DnsStatus::malformed);
  DnsReply reply = reply_of(DnsStatus::found);
  size_t used = 0;
  for (const Record& record : message->answers) {
    if (record.type != number_of(type) || record.owner != *name || used == kMostRecords) continue;
    if (!add(record, type, octets, reply.answer)) return reply_of(DnsStatus::malformed);
    shorten(ttl, record.lifetime());
    ++used;
  }
  if (message->rcode == kNoError && used == 0 && is_beside_the_point(*message)) return reply_of(DnsStatus::malformed);
  // RFC 2308, 2.2: without a SOA this is a referral, from a server that does not look for itself.
  if (message->rcode == kNoError && used == 0 && message->refers && message->authorities.empty()) {
    return reply_of(DnsStatus::server_failure);
  }
  if (message->rcode == kNameError || used == 0) {
    reply = reply_of(message->rcode == kNameError ? DnsStatus::no_domain : DnsStatus::no_data);
    reply.ttl = negative_ttl(*message, octets);
    if (reply.ttl && ttl) shorten(reply.ttl, *ttl);
    return reply;
  }
  std::stable_sort(reply.answer.exchangers.begin(), reply.answer.exchangers.end(),
                   [](const auto& one, const auto& other) { return one.preference < other.preference; });
  reply.ttl = ttl;
  return reply;
}

}  // namespace policyd
