// SQLite as the state file needs it: one connection, statements with parameters, and what went wrong.
//
// Failure is sticky: after the first one nothing more is done until forget_failure(), so that a sequence of statements
// is checked once, at its end. Not thread-safe: the owner holds a lock. sqlite3.h is included in sqlite.cpp alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace policyd {

class Sqlite {
 public:
  // What a failure means for the person who has to do something about it.
  enum class Problem : uint8_t { none, busy, foreign, damaged, other };

  // Opens or creates `path`; waits up to `busy_ms` for another's lock.
  Sqlite(const std::string& path, int busy_ms);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // Statements without parameters and results.
  bool run(const char* sql);
  // The first column of the first row; 0 and empty where there is none.
  int64_t number(const char* sql);
  std::string word(const char* sql);
  // Rows that the last statement has inserted, changed or deleted; 0 after a failure.
  [[nodiscard]] int64_t changes() const;
  void rollback();  // if a transaction is open; also after a failure

  [[nodiscard]] bool failed() const { return problem_ != Problem::none; }
  [[nodiscard]] Problem problem() const { return problem_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }  // "disk I/O error (File too large)"
  void forget_failure() { problem_ = Problem::none; }

 private:
  friend class SqliteStatement;
  bool note(int code);  // true: it is not a failure

  sqlite3* connection_ = nullptr;
  Problem problem_ = Problem::none;
  std::string reason_;
};

class SqliteStatement {
 public:
  SqliteStatement(Sqlite& database, std::string_view sql);
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // The next parameter. Text and octets have to live until step() is done.
  SqliteStatement& bind(std::string_view text);
  SqliteStatement& bind_octets(std::string_view octets);
  SqliteStatement& bind(std::optional<int64_t> number);  // none: NULL

  bool step();   // true: there is a row
  void again();  // before the next set of parameters

  [[nodiscard]] std::string text(int column) const;  // octets too; NULL is empty
  [[nodiscard]] std::optional<int64_t> number(int column) const;

 private:
  Sqlite& database_;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
};

}  // namespace policyd
