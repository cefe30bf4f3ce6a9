// Tables and lists for people: columns under a heading, as wide as they need to be.
//
// Where the terminal is too narrow the last column is cut, and what is very wide in its middle; what identifies a row
// is not otherwise. Widths are counted in characters (UTF-8). Cells may come from anybody, so what a terminal would
// obey is shown as '?'. Pure, but for terminal_width().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/displayable.h"

namespace policyd {

enum class Align : unsigned char { left, right };

// What a cell says at a glance, on a terminal.
enum class Tone : unsigned char { plain, good, warning, bad };

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

struct Column {
  std::string title;
  Align align = Align::left;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // As many cells as there are columns.
  void add(std::vector<std::string> row);
  void add_cells(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // With a newline after each line. `width` 0: as wide as it gets. `colours`: tones are shown.
  [[nodiscard]] std::string render(size_t width, bool colours = false) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// The width that a column keeps on a terminal of `width` columns, whatever its cells hold.
size_t widest_name(size_t width);

// "name   value" lines, the values under each other; pairs with an empty value are left out.
struct Fact {
  std::string name;
  std::string value;
};
std::string render_facts(const std::vector<Fact>& facts);

// `text` made of lines, each displayable; the tones of a table stay.
std::string displayable_lines(std::string_view text);
// How many characters wide `text` is.
size_t display_width(std::string_view text);

// Of the terminal that standard output is; 0 where it is none.
size_t terminal_width();
// Standard output is a terminal, and NO_COLOR (https://no-color.org) is not set.
bool wants_colours();

}  // namespace policyd
