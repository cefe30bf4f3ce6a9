#include "policyd/store/sqlite_counters.h"

#include <optional>
#include <string_view>

#include "policyd/store/cell_codec.h"

namespace policyd {

namespace {

std::optional<Counters> counters_in(const std::string& octets) {
  auto cells = decode_cells(octets);
  return cells ? Counters::from_cells(std::move(*cells)) : std::nullopt;
}

template <class T>
std::vector<std::pair<std::string, T>> load(Sqlite& database, std::string_view select,
                                            std::optional<T> (*parse)(const std::string& octets),
                                            std::vector<std::string>& damaged) {
  std::vector<std::pair<std::string, T>> accounts;
  SqliteStatement row(database, select);
  while (row.step()) {
    if (auto parsed = parse(row.text(1))) {
      accounts.emplace_back(row.text(0), std::move(*parsed));
    } else {
      damaged.push_back(row.text(0));
    }
  }
  return accounts;
}

// The two statements of a table.
class AccountRows {
 public:
  AccountRows(Sqlite& database, std::string_view put, std::string_view remove)
      : put_(database, put), remove_(database, remove) {}
  void write(const std::string& account, const std::string& octets) {
    SqliteStatement& row = octets.empty() ? remove_ : put_;
    row.bind(account);
    if (!octets.empty()) row.bind_octets(octets);
    row.step();
    row.again();
  }

 private:
  SqliteStatement put_, remove_;
};

}  // namespace

std::vector<std::pair<std::string, Counters>> load_counters(Sqlite& database, std::vector<std::string>& damaged) {
  return load<Counters>(database, "SELECT account, cells FROM counters", counters_in, damaged);
}

std::vector<std::pair<std::string, SeenElements>> load_elements(Sqlite& database, std::vector<std::string>& damaged) {
  const auto parse = [](const std::string& octets) { return SeenElements::from_octets(octets); };
  return load<SeenElements>(database, "SELECT account, seen FROM elements", parse, damaged);
}

void write_counters(Sqlite& database, const StateFile::CounterBatch& batch) {
  AccountRows rows(database, "INSERT OR REPLACE INTO counters VALUES(?, ?)", "DELETE FROM counters WHERE account = ?");
  for (const auto& [account, cells] : batch) rows.write(account, cells.empty() ? std::string() : encode_cells(cells));
}

void write_elements(Sqlite& database, const StateFile::ElementBatch& batch) {
  AccountRows rows(database, "INSERT OR REPLACE INTO elements VALUES(?, ?)", "DELETE FROM elements WHERE account = ?");
  for (const auto& [account, octets] : batch) rows.write(account, octets);
}

}  // namespace policyd
