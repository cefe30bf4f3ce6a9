#include "policyd/ctl/table.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kCut = "...";
constexpr size_t kLeast = 10;  // a last column is not cut to less

bool continues(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

// The first `width` characters of `text`.
std::string_view first(std::string_view text, size_t width) {
  size_t end = 0;
  while (end < text.size() && (continues(text[end]) || width > 0)) {
    if (!continues(text[end])) --width;
    ++end;
  }
  return text.substr(0, end);
}

std::string padded(const std::string& cell, size_t width, Align align) {
  const std::string space(width - std::min(width, display_width(cell)), ' ');
  return align == Align::right ? space + cell : cell + space;
}

std::string line(const std::vector<std::string>& cells, const std::vector<Column>& columns,
                 const std::vector<size_t>& widths) {
  std::string out;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += kGap;
    const bool cut = display_width(cells[i]) > widths[i];
    const std::string cell =
        cut ? std::string(first(cells[i], widths[i] - kCut.size())).append(kCut) : cells[i];
    out += padded(cell, widths[i], columns[i].align);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

}  // namespace

void Table::add(std::vector<std::string> row) {
  if (row.size() != columns_.size()) std::abort();  // a row of another table
  for (std::string& cell : row) cell = displayable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::render(size_t width) const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(display_width(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  size_t total = kGap.size() * (widths.size() - 1);
  for (const size_t one : widths) total += one;
  if (width > 0 && total > width) {
    const size_t excess = total - width;
    const size_t least = std::max(kLeast, display_width(titles.back()));
    size_t& last = widths.back();
    last = std::max(last - std::min(last, excess), std::min(last, least));
  }
  std::string out = line(titles, columns_, widths);
  for (const auto& row : rows_) out += line(row, columns_, widths);
  return out;
}

std::string render_facts(const std::vector<Fact>& facts) {
  size_t widest = 0;
  for (const Fact& fact : facts) {
    if (!fact.value.empty()) widest = std::max(widest, display_width(fact.name));
  }
  std::string out;
  for (const Fact& fact : facts) {
    if (fact.value.empty()) continue;
    out.append(padded(fact.name, widest, Align::left))
        .append(kGap)
        .append(displayable(fact.value))
        .append("\n");
  }
  return out;
}

std::string displayable(std::string_view text) {
  if (!is_utf8(text)) return printable(text);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<uint8_t>(text[i]);
    // U+0080 to U+009F are control characters too.
    const bool c1 = octet == 0xc2 && static_cast<uint8_t>(text[i + 1]) < 0xa0;
    const bool control = octet < 0x20 || octet == 0x7f || c1;
    out += control ? '?' : text[i];
    if (c1) ++i;
  }
  return out;
}

size_t display_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace policyd
