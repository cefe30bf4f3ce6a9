#include "policyd/ctl/table.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <sys/ioctl.h>
#include <unistd.h>

namespace policyd {

namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kCut = "...";
constexpr size_t kLeast = 10;   // a last column is not cut to less
constexpr size_t kWide = 40;    // and another one not to less than this, or half of the terminal

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

// The last `width` characters of `text`.
std::string_view last(std::string_view text, size_t width) {
  size_t begin = text.size();
  while (begin > 0 && width > 0) {
    if (!continues(text[--begin])) --width;
  }
  return text.substr(begin);
}

std::string cut_at_end(std::string_view text, size_t width) {
  return std::string(first(text, width - kCut.size())).append(kCut);
}

// Both ends stay: what tells names apart may stand at either.
std::string cut_inside(std::string_view text, size_t width) {
  const size_t kept = width - kCut.size();
  return std::string(first(text, kept - kept / 2)).append(kCut).append(last(text, kept / 2));
}

std::string padded(const std::string& cell, size_t width, Align align) {
  const std::string space(width - std::min(width, display_width(cell)), ' ');
  return align == Align::right ? space + cell : cell + space;
}

// As select graphic rendition has it (ECMA-48).
constexpr std::string_view kTones[] = {"", "\x1b[32m", "\x1b[33m", "\x1b[1;31m"};
constexpr std::string_view kPlain = "\x1b[0m";

// The length of the tone that `text` begins with, or 0.
size_t tone_length(std::string_view text) {
  if (text[0] != '\x1b') return 0;
  for (const std::string_view tone : {kTones[1], kTones[2], kTones[3], kPlain}) {
    if (text.starts_with(tone)) return tone.size();
  }
  return 0;
}

std::string toned(std::string text, Tone tone) {
  if (tone == Tone::plain || text.empty()) return text;
  return std::string(kTones[static_cast<size_t>(tone)]).append(text).append(kPlain);
}

std::string line(const std::vector<Cell>& cells, const std::vector<Column>& columns, const std::vector<size_t>& widths,
                 bool colours) {
  std::string out;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += kGap;
    const std::string& text = cells[i].text;
    const bool fits = display_width(text) <= widths[i], is_last = i + 1 == cells.size();
    const std::string cell = fits ? text : is_last ? cut_at_end(text, widths[i]) : cut_inside(text, widths[i]);
    const std::string place = padded(cell, widths[i], columns[i].align);
    out += colours ? toned(place, cells[i].tone) : place;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

size_t total_of(const std::vector<size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
}

// To `width`, if that can be: columns of very wide cells first, then the last one, but not below its title.
void narrow(std::vector<size_t>& widths, size_t width, size_t last_title) {
  for (size_t i = 0; i + 1 < widths.size(); ++i) widths[i] = std::min(widths[i], widest_name(width));
  const size_t total = total_of(widths), excess = total - std::min(total, width);
  size_t& last = widths.back();
  last = std::max(last - std::min(last, excess), std::min(last, std::max(kLeast, last_title)));
}

}  // namespace

size_t widest_name(size_t width) { return std::max(width / 2, kWide); }

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) column.title = displayable(column.title);
}

void Table::add(std::vector<std::string> row) {
  std::vector<Cell> cells;
  for (std::string& text : row) cells.push_back({std::move(text)});
  add_cells(std::move(cells));
}

void Table::add_cells(std::vector<Cell> row) {
  if (row.size() != columns_.size()) std::abort();  // a row of another table
  for (Cell& cell : row) cell.text = displayable(cell.text);
  rows_.push_back(std::move(row));
}

std::string Table::render(size_t width, bool colours) const {
  std::vector<Cell> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns_) {
    titles.push_back({column.title});
    widths.push_back(display_width(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  if (width > 0 && total_of(widths) > width) narrow(widths, width, display_width(titles.back().text));
  std::string out = line(titles, columns_, widths, colours);
  for (const auto& row : rows_) out += line(row, columns_, widths, colours);
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
    out.append(padded(displayable(fact.name), widest, Align::left))
        .append(kGap)
        .append(displayable(fact.value))
        .append("\n");
  }
  return out;
}

std::string displayable_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t kept = text[0] == '\n' ? 1 : tone_length(text);
    out.append(text.substr(0, kept));
    text.remove_prefix(kept);
    size_t end = 0;
    while (end < text.size() && text[end] != '\n' && tone_length(text.substr(end)) == 0) ++end;
    out += displayable(text.substr(0, end));
    text.remove_prefix(end);
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

bool wants_colours() {
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal && std::string_view(terminal) == "dumb";
  return isatty(STDOUT_FILENO) != 0 && !(no_colour && *no_colour) && !dumb;
}

}  // namespace policyd
