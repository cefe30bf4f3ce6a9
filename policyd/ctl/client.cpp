#include "policyd/ctl/client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <curl/curl.h>

#include "shared/displayable.h"

namespace policyd {

namespace {

constexpr long kConnectMilliseconds = 5'000;
constexpr int kUriTooLong = 414;
constexpr long kAnswerMilliseconds = 30'000;  // longer than policyd itself waits

size_t on_octets(char* octets, size_t size, size_t count, void* into) {
  static_cast<std::string*>(into)->append(octets, size * count);
  return size * count;
}

// Called while a request is under way, whatever its sockets do; not 0 ends it.
int on_progress(void* give_up, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(give_up))() ? 1 : 0;
}

struct Advice {
  int code;
  std::string_view text;
};
constexpr std::array kAdvice = {
    Advice{ENOENT,
           "is it running? `systemctl status policyd` tells; another socket is named with -c FILE "
           "or --socket"},
    Advice{
        ECONNREFUSED,
        "is it running? `systemctl status policyd` tells; the socket is one that it left behind"},
    Advice{EACCES,
           "run policyctl as root, or as the user or in the group that owns the socket "
           "(admin.socket_mode)"},
};

Answer unreachable(const Endpoint& socket, CURLcode failure, int code) {
  std::string reason = code != 0 ? std::strerror(code) : curl_easy_strerror(failure);
  for (const Advice& advice : kAdvice) {
    if (advice.code == code) reason.append("; ").append(advice.text);
  }
  return {kUnreachable,
          "policyd cannot be reached at " + socket.to_string() + ": " + reason,
          {},
          false};
}

Answer no_answer(const Endpoint& socket, CURLcode failure) {
  return {kUnreachable,
          "policyd at " + socket.to_string() + " does not answer: " + curl_easy_strerror(failure) +
              "; what was asked for may have been done all the same",
          {},
          true,
          false,
          failure == CURLE_ABORTED_BY_CALLBACK};
}

Answer read_answer(const Endpoint& socket, int status, const std::string& body) {
  Answer answer{kDone, {}, Json::parse(body, nullptr, false), true};
  if (status < 400 && !answer.json.is_discarded()) return answer;
  answer.code = kRefused;
  answer.conflict = status == 409;
  if (answer.json.is_object() && answer.json.contains("error") &&
      answer.json["error"].is_string()) {
    answer.error = answer.json["error"].get<std::string>();
  } else if (status == kUriTooLong) {
    answer.error = "what is asked for is too long: policyd knows no such name";
  } else {
    answer.error = "what listens on " + socket.to_string() +
                   " is no policyd, or one of another version: HTTP status " +
                   std::to_string(status) + " without the JSON that belongs to it";
  }
  return answer;
}

}  // namespace

struct Client::Transfer {
  CURL* curl = curl_easy_init();
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  ~Transfer() {
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
  }
};

Client::Client(std::vector<Endpoint> sockets)
    : sockets_(std::move(sockets)), transfer_(std::make_unique<Transfer>()) {}

Client::~Client() = default;

Answer Client::ask(const char* method, const std::string& path, const Json& body) {
  return ask_text(method, path, body.is_null() ? "" : to_line(body));
}

Answer Client::ask_text(const char* method, const std::string& path, const std::string& body) {
  Answer answer{kUnreachable,
                "policyd cannot be reached: its configuration names no unix socket in admin.listen",
                {},
                false};
  for (const Endpoint& socket : sockets_) {
    answer = send(socket, method, path, body);
    if (answer.reached) break;
  }
  return answer;
}

Answer Client::send(const Endpoint& socket, const char* method, const std::string& path,
                    const std::string& body) {
  CURL* curl = transfer_->curl;
  if (!curl) return {kUnreachable, "libcurl cannot be used: out of memory", {}, false};
  curl_easy_reset(curl);
  std::string received;
  const std::string url = "http://policyd" + path;  // the name stands for the socket
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.path.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kAnswerMilliseconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer_->headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_octets);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  if (give_up_) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &give_up_);
  }
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  }
  const CURLcode done = curl_easy_perform(curl);
  long number = 0;
  if (done == CURLE_COULDNT_CONNECT) {
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    return unreachable(socket, done, static_cast<int>(number));
  }
  if (done != CURLE_OK) return no_answer(socket, done);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &number);
  return read_answer(socket, static_cast<int>(number), received);
}

std::string to_line(const Json& json) {
  return displayable_json(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string to_document(const Json& json) {
  return displayable_json(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace policyd
