#include "cmd/core/log_tail.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "cmd/core/log_text.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "util/clock.hpp"
#include "util/log_reader.hpp"

namespace hob::cmd {

std::string last_log_lines(const lifecycle::instance& where, const std::string& unit, std::size_t count,
                           std::chrono::system_clock::time_point since) {
    const log_style style{err_terminal(), log_format::brief, true};
    const terminal& out = style.out;
    const std::string today = util::rfc3339(std::chrono::system_clock::now()).substr(0, 10);
    std::vector<std::string> found;  // newest first
    bool at_the_end = true;
    const auto collect = [&](std::string_view line) {
        const util::log_record record = util::parse_log_record(line);
        if (!is_shown(record, style.format)) {
            // The message of hob that ends each life: the first one is of this life if it is new enough.
            return std::exchange(at_the_end, false) && record.time && *record.time >= since;
        }
        at_the_end = false;
        found.push_back(log_record_text(record, style, today));
        return found.size() < count;
    };
    const auto files = util::open_log_files(where.unit_log_path(unit));
    for (auto file = files.rbegin(); file != files.rend() && found.size() < count; ++file) {
        if (!util::read_lines_backward(*file, file->size, collect)) break;
    }
    std::string text;
    for (auto line = found.rbegin(); line != found.rend(); ++line)
        text += paint(printable(unit, out.utf8) + " | ", "2", out.color) + *line;
    return text;
}

}  // namespace hob::cmd
