#include "cmd/core/log_tail.hpp"

#include <chrono>
#include <vector>

#include "cmd/core/log_text.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "util/clock.hpp"
#include "util/log_reader.hpp"

namespace hob::cmd {

std::string last_log_lines(const lifecycle::instance& where, const std::string& unit, std::size_t count) {
    const terminal out = err_terminal();
    const std::string today = util::rfc3339(std::chrono::system_clock::now()).substr(0, 10);
    std::vector<std::string> found;  // the last one first
    const auto collect = [&](std::string_view line) {
        found.push_back(log_record_text(util::parse_log_record(line), out, today));
        return found.size() < count;
    };
    const auto files = util::open_log_files(where.unit_log_path(unit));
    for (auto file = files.rbegin(); file != files.rend() && found.size() < count; ++file)
        util::read_lines_backward(*file, file->size, collect);
    std::string text;
    for (auto line = found.rbegin(); line != found.rend(); ++line)
        text += paint(printable(unit, out.utf8) + " | ", "2", out.color) + *line;
    return text;
}

}  // namespace hob::cmd
